// Use a trained generator: samples, each of which can be opened; rows beside real ones;
// files to take home.

import { RequestFailed, api, attempt, code, el, fill, number, t } from "../kit.js";
import { page, table } from "../train/parts.js";
import { explore } from "./explore.js";
import { openImage } from "./image.js";

const MAX_SEED = 2 ** 31 - 1;

export async function mount(main, name) {
  main.append(el("p.small", {}, el("a", { href: page("run", name) }, t("use.back", { name }))), el("h1", { style: { overflowWrap: "anywhere" } }, t("use.title", { name })));
  const place = el("div", {}, el("p", { role: "status" }, t("use.loading")));
  main.append(place);
  let about;
  try {
    about = await api.get(`/api/use/${encodeURIComponent(name)}`);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    fill(place, el("p.notice.bad", { role: "alert" }, error.message));
    return () => {};
  }
  const result = el("section.card.stack", { "aria-labelledby": "samples" });
  const extra = el("div");
  const form = sampleForm(about, (asked) => draw(result, about, asked));
  fill(
    place,
    el("p.muted", {}, `${about.described} · ${about.recipe} · ${t("use.seen", { n: number(about.samples_seen) })}`),
    el("div", { style: { display: "flex", flexWrap: "wrap", gap: "var(--gap)", alignItems: "flex-start" } }, el("div", { style: { flex: "1 1 17rem", minWidth: 0 } }, form.element), el("div", { style: { flex: "3 1 26rem", minWidth: 0 } }, result, el("div.grid", { style: { alignItems: "start" } }, downloads(about, form.asked), exports(about)), extra)),
  );
  if (about.kind === "images" && about.n_classes > 0) extra.append(sheetOf(t("use.byClass"), t("use.byClassHow"), (seed) => address(about, "classes.png", { seed })));
  for (const codeName of Object.keys(about.codes)) extra.append(sheetOf(t("use.codeTitle", { name: codeName }), about.codes[codeName] === null ? t("use.codeContinuous") : t("use.codeCategorical", { n: about.codes[codeName] }), (seed) => address(about, `codes/${codeName}.png`, { seed })));
  if (about.kind === "images") extra.append(...explore(about, form.asked));
  await draw(result, about, form.asked());
  return () => {};
}

/** An address of this generator; `asked` becomes its query. */
export function address(about, what, asked = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(asked)) for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined) query.append(key, one);
  return `/api/use/${encodeURIComponent(about.name)}/${what}?${query}`;
}

// ---- what is asked for ------------------------------------------------------------

function labelled(title, how, control) {
  control.id ||= `field-${Math.random().toString(36).slice(2)}`;
  return el("div", {}, el("label", { for: control.id }, title), control, how && el("p.small.muted", { style: { margin: ".2rem 0 0" } }, how));
}

function sampleForm(about, submit) {
  const n = el("input", { type: "number", min: 1, max: about.most, step: 1, value: about.default_n, style: { width: "8rem" } });
  const seed = el("input", { type: "number", min: 0, max: MAX_SEED, step: 1, value: 0, style: { width: "9rem" } });
  const psi = el("output.small.muted", {}, "1");
  const truncation = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: 1, oninput: () => (psi.textContent = number(Number(truncation.value))), onchange: () => run() });
  const label = about.n_classes > 0 && el("select", {}, el("option", { value: "" }, t("use.anyClass")), about.classes.map((one) => el("option", { value: one }, one)));
  const conditions = el("div.stack");
  const codes = Object.entries(about.codes).map(([codeName, size]) => codeField(codeName, size));

  function asked() {
    const found = { n: n.value, seed: seed.value, truncation: truncation.value };
    if (label && label.value !== "") found.label = label.value;
    found.where = [...conditions.querySelectorAll("[data-condition]")].map((one) => one.condition()).filter(Boolean);
    found.code = codes.map((one) => one.value()).filter(Boolean);
    return found;
  }
  const button = el("button.primary", { type: "submit" }, t("use.draw"));
  const run = async () => {
    button.disabled = true;
    await submit(asked());
    button.disabled = false;
  };
  const element = el(
    "form.card.stack",
    { onsubmit: (event) => { event.preventDefault(); run(); } },
    el("h2", {}, t("use.ask")),
    labelled(t("use.howMany"), t("use.atMost", { n: number(about.most) }), n),
    label && labelled(t("use.class"), "", label),
    about.columns.length > 0 && el("fieldset", {}, el("legend", {}, t("use.conditions")), conditions, el("button.quiet", { type: "button", onclick: () => conditions.append(condition(about)) }, t("use.addCondition"))),
    codes.map((one) => one.element),
    el("div", {}, labelled(t("use.truncation"), t("use.truncationHow"), truncation), psi),
    el("div", {}, labelled(t("use.seed"), t("use.seedHow"), seed)),
    el("div.row", {}, button, el("button", { type: "button", onclick: () => { seed.value = Math.floor(Math.random() * 1e6); run(); } }, t("use.others"))),
  );
  return { element, asked };
}

function codeField(codeName, size) {
  const input = el("input", size === null ? { type: "number", step: "any", placeholder: t("use.drawn"), style: { width: "8rem" } } : { type: "number", min: 0, max: size - 1, step: 1, placeholder: t("use.drawn"), style: { width: "8rem" } });
  return { element: labelled(t("use.code", { name: codeName }), size === null ? t("use.codeContinuous") : t("use.codeCategorical", { n: size }), input), value: () => (input.value === "" ? null : `${codeName}=${input.value}`) };
}

/** A condition on one column: values of it, or a range. */
function condition(about) {
  const column = el("select", { "aria-label": t("use.column"), onchange: () => refill() }, about.columns.map((one) => el("option", { value: one.name }, one.name)));
  const place = el("span.row");
  let read = () => null;
  function refill() {
    const chosen = about.columns.find((one) => one.name === column.value);
    if (chosen.values.length) {
      const select = el("select", { "aria-label": t("use.value") }, chosen.values.map((one) => el("option", { value: one }, one)));
      fill(place, select);
      read = () => select.value;
    } else if (["number", "integer", "real"].includes(chosen.kind)) {
      const [low, high] = [t("use.from"), t("use.to")].map((words) => el("input", { type: "number", step: "any", placeholder: words, "aria-label": words, style: { width: "6.5rem" } }));
      fill(place, low, high);
      read = () => (low.value === "" && high.value === "" ? null : `${low.value}..${high.value}`);
    } else {
      const text = el("input", { "aria-label": t("use.value"), placeholder: t("use.valueHow"), style: { width: "12rem" } });
      fill(place, text);
      read = () => text.value || null;
    }
  }
  refill();
  const element = el("div.row", { dataset: { condition: "" } }, column, place, el("button.quiet", { type: "button", "aria-label": t("use.removeCondition"), onclick: () => element.remove() }, "✕"));
  element.condition = () => {
    const value = read();
    return value === null ? null : `${column.value}=${value}`;
  };
  return element;
}

// ---- the samples ------------------------------------------------------------------

async function draw(place, about, asked) {
  const title = el("h2", { id: "samples" }, t("use.samples"));
  if (!place.hasChildNodes()) fill(place, title, el("p", { role: "status" }, t("use.drawing")));
  const told = await attempt(() => api.get(address(about, "samples", asked)));
  if (!told) {
    if (!place.querySelector("[data-result]")) fill(place, title, el("p.muted", {}, t("use.nothing")));
    return;
  }
  const shown = told.kind === "images" ? images(about, asked, told) : told.kind === "table" ? rows(about, asked, told) : plot(about, asked);
  fill(place, title, el("div", { dataset: { result: "" } }, shown), el("details", {}, el("summary", {}, t("use.asLines")), el("div.stack", { style: { marginTop: ".6rem" } }, code(told.cli), code(told.python))));
}

/** The images of one sheet, each a button that opens it. */
function images(about, asked, told) {
  const { columns, width, height } = told.sheet;
  const sheet = address(about, "sheet.png", asked);
  const scale = Math.max(1, Math.min(4, Math.round(64 / Math.max(width, height))));
  const total = Math.ceil(told.n / columns);
  const tiles = Array.from({ length: told.n }, (_, index) =>
    el("button", {
      type: "button",
      class: scale > 1 ? "pixels" : "",
      "aria-label": t("use.open", { n: index + 1 }),
      onclick: () => openImage(about, asked, index, told.n),
      style: {
        width: `${width * scale}px`,
        height: `${height * scale}px`,
        minHeight: 0,
        padding: 0,
        border: 0,
        borderRadius: 0,
        backgroundImage: `url("${sheet}")`,
        backgroundSize: `${columns * width * scale}px ${total * height * scale}px`,
        backgroundPosition: `-${(index % columns) * width * scale}px -${Math.floor(index / columns) * height * scale}px`,
      },
    }),
  );
  return [el("p.small.muted", {}, t("use.openHow")), el("div", { style: { display: "flex", flexWrap: "wrap", gap: "2px" }, role: "group", "aria-label": t("use.samples") }, tiles)];
}

function plot(about, asked) {
  return el("img", { src: address(about, "plot.png", { ...asked, where: [] }), alt: t("use.plotAlt", { n: number(Number(asked.n)) }), style: { maxWidth: "100%", background: "#fff", borderRadius: ".3rem" } });
}

function rows(about, asked, told) {
  const { names, generated, real, summaries, drawn } = told.table;
  const parts = [];
  if (drawn) parts.push(el("p.small.muted", {}, t("use.drawnFor", { n: number(told.n), of: number(drawn) })));
  if (!asked.where.length) parts.push(plot(about, asked));
  parts.push(el("h3", {}, t("use.generatedRows")), low(table(names, generated, t("use.generatedRows"))));
  if (real) parts.push(el("details", {}, el("summary", {}, t("use.realRows")), low(table(names, real, t("use.realRows")))));
  parts.push(el("h3", {}, real ? t("use.columnsBeside") : t("use.columns")), table([t("use.column"), t("use.generated"), ...(real ? [t("use.real")] : [])], summaries.map((one) => [el("strong", {}, one.name), summary(one.generated), ...(real ? [summary(one.real)] : [])]), t("use.columns")));
  return parts;
}

/** A table of many rows in a low window of its own. */
function low(element) {
  Object.assign(element.style, { maxHeight: "18rem", overflow: "auto" });
  return element;
}

function summary(one) {
  const blank = one.blanks > 0 ? ` · ${t("use.blank", { share: percent(one.blanks) })}` : "";
  if (one.kind === "numbers") {
    const [low, , middle, , high] = one.quantiles;
    return t("use.numbers", { mean: number(round(one.mean)), std: number(round(one.std)), low: number(round(low)), middle: number(round(middle)), high: number(round(high)) }) + blank;
  }
  const shares = Object.entries(one.shares).slice(0, 5).map(([value, share]) => `${value} ${percent(share)}`);
  return shares.join(", ") + blank;
}

const percent = (share) => `${number(round(100 * share))}%`;
const round = (value) => Number(value.toPrecision(3));

// ---- files ------------------------------------------------------------------------

function downloads(about, asked) {
  const n = el("input", { type: "number", min: 1, max: about.most_written, step: 1, value: about.default_n, style: { width: "9rem" } });
  const ending = el("select", {}, about.endings.map((one) => el("option", { value: one }, `${one} ${has(one)}`)));
  const link = el("a.button.primary", { href: "#", onclick: () => prepare() }, t("use.download"));
  const prepare = () => {
    link.href = address(about, "download", { ...asked(), n: n.value, ending: ending.value });
    link.download = "";
    words.textContent = t("use.preparing");
  };
  const words = el("p.small.muted", { role: "status", style: { margin: 0 } }, t("use.downloadHow"));
  return el("section.card.stack", {}, el("h2", {}, t("use.takeHome")), labelled(t("use.howMany"), t("use.atMost", { n: number(about.most_written) }), n), labelled(t("use.format"), "", ending), el("div", {}, link), words);
}

/** The generator itself as a file. */
function exports(about) {
  const told = el("div", { "aria-live": "polite" });
  const buttons = [".onnx", ".html"].map((ending) =>
    el("button", { type: "button", onclick: async () => {
      buttons.forEach((one) => (one.disabled = true));
      fill(told, el("p.small.muted", {}, t("use.exporting")));
      try {
        const response = await api.get(address(about, "export", { ending }));
        take(await response.blob(), about.name + ending);
        fill(told, el("p.small.muted", {}, t("use.exported")));
      } catch (error) {
        if (!(error instanceof RequestFailed)) throw error;
        fill(told, el("p.notice.bad", { style: { overflowWrap: "anywhere" } }, error.message));
      }
      buttons.forEach((one) => (one.disabled = false));
    } }, t(`use.export${ending}`)),
  );
  const line = `equipoise export ${about.path} --to ${about.name}.onnx`;
  return el("section.card.stack", {}, el("h2", {}, t("use.exportTitle")), el("p.small.muted", {}, t("use.exportHow")), el("div.row", {}, buttons), told, el("details", {}, el("summary", {}, t("use.asLine")), el("div.stack", { style: { marginTop: ".6rem" } }, code(line))));
}

/** Have the browser save what it holds. */
function take(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const has = (ending) => {
  const words = { ".zip": "use.zip", ".png": "use.png", ".tar": "use.tar" }[ending];
  return words ? `(${t(words)})` : "";
};

// ---- sheets -----------------------------------------------------------------------

function sheetOf(title, how, of) {
  const image = el("img", { alt: title, style: { maxWidth: "100%", background: "#fff", borderRadius: ".3rem" } });
  const made = el("details.card", { ontoggle: () => { if (made.open && !image.src) image.src = of(0); } }, el("summary", {}, el("strong", {}, title)), el("p.small.muted", { style: { marginTop: ".5rem" } }, how), image, el("p", {}, el("button", { type: "button", onclick: () => (image.src = of(Math.floor(Math.random() * 1e6))) }, t("use.others"))));
  return made;
}
