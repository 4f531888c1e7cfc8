// Before a training: what was understood of the data, corrections, recipe and length.

import { api, attempt, code, duration, el, fill, listen, number, t } from "../kit.js";
import { page, table } from "./parts.js";

const SHOWN_CLASSES = 12;
const WAIT = 600; // milliseconds after the last change until the time is estimated

export function prepare(main, name) {
  const data = el("div");
  const training = el("div");
  main.append(
    el("p.small", {}, el("a", { href: "#/" }, t("train.back"))),
    el("h1", { style: { overflowWrap: "anywhere" } }, t("train.prepareTitle", { name })),
    el("div.grid", { style: { gridTemplateColumns: "repeat(auto-fit, minmax(min(100%, 24rem), 1fr))", alignItems: "start" } }, data, training),
  );
  const choice = { recipe: "balanced", length: "usual", minutes: 10, samples: 100000, conditional: null, more: "" };
  let shown = "";
  return listen(`data-${name}`, (state) => {
    if (state.busy) {
      fill(data, el("section.card", {}, el("h2", {}, t("train.understood")), el("p", { role: "status" }, t("train.reading")), el("progress", { "aria-label": t("train.reading") })));
      return;
    }
    if (!state.understood && !state.problem) {
      attempt(() => read(name, {}));
      return;
    }
    fill(data, understood(name, state));
    const now = JSON.stringify([state.understood, state.problem]);
    if (state.understood && now !== shown) fill(training, trainingForm(name, state, choice));
    shown = now;
  });
}

const address = (name, what) => `/api/data/${encodeURIComponent(name)}/${what}`;
const read = (name, said) => api.post(address(name, "understand"), { said });

// ---- what was understood ----------------------------------------------------------

function understood(name, state) {
  const found = state.understood;
  const said = structuredClone(state.said);
  const children = [el("h2", {}, t("train.understood"))];
  if (state.problem) children.push(el("p.notice.bad", { role: "alert" }, state.problem));
  if (found) {
    children.push(el("p", {}, el("strong", {}, found.described), rowsWords(found)));
    if (found.examples) children.push(el("figure", { style: { margin: 0 } }, el("img.pixels", { src: found.examples, alt: t("train.examplesAlt", { described: found.described }), style: { maxWidth: "100%" } }), el("figcaption.small.muted", {}, t("train.examples"))));
    if (found.n_classes) children.push(el("p.small", {}, classesWords(found)));
    for (const note of found.notes) children.push(el("p.notice.small", { style: { overflowWrap: "anywhere" } }, note));
    if (found.n_left_out) children.push(leftOut(found));
  }
  const asks = corrections(found, said, state);
  if (asks.length) {
    const again = el("button", { type: "submit" }, t("train.readAgain"));
    children.push(
      el("form.stack", { onsubmit: (event) => { event.preventDefault(); attempt(() => read(name, said)); } }, asks, el("p.row", {}, again, Object.keys(state.said).length > 0 && el("button.quiet", { type: "button", onclick: () => attempt(() => read(name, {})) }, t("train.forget")))),
    );
  }
  if (found?.rows.length) children.push(firstRows(found));
  return el("section.card.stack", {}, children);
}

function rowsWords(found) {
  if (found.training_rows === null) return `, ${t("train.endless")}`;
  return `, ${t("train.rows", { n: number(found.training_rows), held: number(found.held_out_rows ?? 0) })}`;
}

function classesWords(found) {
  const some = found.classes.slice(0, SHOWN_CLASSES).map((one) => `${one.label} (${number(one.count)})`);
  const more = found.n_classes > some.length ? ", …" : "";
  return `${t("train.classes", { n: found.n_classes })} ${some.join(", ")}${more}`;
}

function leftOut(found) {
  const rows = found.left_out.map(([file, why]) => [file, why]);
  return el("details", {}, el("summary", {}, t("train.leftOut", { n: number(found.n_left_out) })), table([t("train.file"), t("train.why")], rows));
}

function firstRows(found) {
  return el("details", {}, el("summary", {}, t("train.firstRows")), table(found.names, found.rows, t("train.firstRows")));
}

/** What can be said of this data. `said` is changed as the user says it. */
function corrections(found, said, state) {
  const asks = [];
  if (found?.columns.length) {
    asks.push(columnsTable(found, said));
    asks.push(chooser("label_column", t("train.labelColumn"), t("train.labelColumnHow"), found.names, said));
    asks.push(
      el("details", { open: Boolean(said.constraints?.length || said.series) }, el("summary", {}, t("train.moreAboutTable")), el("div.stack", { style: { marginTop: ".6rem" } },
        lines("constraints", t("train.constraints"), t("train.constraintsHow"), said),
        chooser("series", t("train.series"), t("train.seriesHow"), found.names, said),
        chooser("time", t("train.time"), "", found.names, said))),
    );
  } else if (found?.names.length || said.series) {
    asks.push(chooser("series", t("train.series"), t("train.seriesHow"), found?.names ?? [], said));
    asks.push(chooser("time", t("train.time"), "", found?.names ?? [], said));
  }
  if (found?.is_folder || said.size) asks.push(text("size", t("train.size"), t("train.sizeHow", { size: found?.size?.join("x") ?? "" }), said), tick("fit", t("train.fit"), said));
  if (/\.np[yz]$/.test(state.name)) asks.push(chooser("layout", t("train.layout"), t("train.layoutHow"), ["NCHW", "NHWC", "NHW", "NTC"], said));
  return asks;
}

function columnsTable(found, said) {
  const rows = found.columns.map((column) => {
    const say = (more) => {
      said.columns = { ...said.columns, [column.name]: { ...said.columns?.[column.name], ...more } };
    };
    const missing = el("input", {
      value: (said.columns?.[column.name]?.missing ?? []).join(", "),
      "aria-label": t("train.missingOf", { name: column.name }),
      style: { width: "5rem" },
      oninput: () => say({ missing: missing.value.split(",").map((one) => plain(one.trim())).filter((one) => one !== "") }),
    });
    const kinds = found.kinds.includes(column.label) ? found.kinds : [column.label, ...found.kinds];
    const select = el(
      "select",
      {
        "aria-label": t("train.kindOf", { name: column.name }),
        onchange: () => {
          say({ kind: select.value });
        },
      },
      kinds.map((kind) => el("option", { value: kind, selected: kind === column.label }, kind)),
    );
    const blank = column.blanks ? `${number(100 * column.blanks)}%` : "";
    return [el("strong", { style: { overflowWrap: "break-word", display: "block", minWidth: "6rem" } }, column.name), select, el("span", { title: column.examples }, column.seen), { number: blank }, missing];
  });
  return el("div", {}, table([t("train.column"), t("train.kind"), t("train.seenIn"), { number: t("train.blank") }, t("train.missing")], rows, t("train.columns")), found.more_columns > 0 && el("p.small.muted", {}, t("train.moreColumns", { n: found.more_columns })));
}

function labelled(title, how, control) {
  const id = `field-${Math.random().toString(36).slice(2)}`;
  control.id = id;
  return el("div", {}, el("label", { for: id }, title), control, how && el("p.small.muted", { style: { margin: ".2rem 0 0" } }, how));
}

function chooser(key, title, how, names, said) {
  const select = el("select", { onchange: () => (said[key] = select.value) }, el("option", { value: "" }, t("train.none")), names.map((one) => el("option", { value: one, selected: said[key] === one }, one)));
  return labelled(title, how, select);
}

function text(key, title, how, said) {
  const input = el("input", { value: said[key] ?? "", oninput: () => (said[key] = input.value.trim()) });
  return labelled(title, how, input);
}

function lines(key, title, how, said) {
  const area = el("textarea", { rows: 3, style: { width: "100%" }, oninput: () => (said[key] = area.value.split("\n").map((line) => line.trim()).filter(Boolean)) }, (said[key] ?? []).join("\n"));
  return labelled(title, how, area);
}

function tick(key, title, said) {
  const box = el("input", { type: "checkbox", checked: Boolean(said[key]), onchange: () => (said[key] = box.checked) });
  return el("label.row", { style: { fontWeight: "normal", flexWrap: "nowrap" } }, box, title);
}

// ---- the training -----------------------------------------------------------------

function trainingForm(name, state, choice) {
  const found = state.understood;
  const estimate = el("p", { role: "status", style: { minHeight: "3rem" } });
  const lines = el("div.stack");
  const summary = el("p.small.muted", { style: { margin: ".2rem 0 0" } });
  let visit = 0;
  let waiting = 0;

  const recipes = found.recipes;
  if (!recipes.some((one) => one.name === choice.recipe && !one.why_not)) choice.recipe = "balanced";
  const select = el(
    "select",
    { onchange: () => { choice.recipe = select.value; changed(); } },
    recipes.filter((one) => !one.why_not).map((one) => el("option", { value: one.name, selected: one.name === choice.recipe }, one.name)),
  );
  const unfit = recipes.filter((one) => one.why_not);
  const recipe = () => recipes.find((one) => one.name === choice.recipe);

  const more = el("textarea", { rows: 3, placeholder: "gamma = 0.5\nseed = 1", style: { width: "100%" }, onchange: () => { choice.more = more.value; changed(); } }, choice.more);
  const start = el("button.primary", { type: "submit" }, t("train.start"));
  const form = el(
    "form.card.stack",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        start.disabled = true;
        const told = await attempt(() => api.post(address(name, "start"), asked()));
        start.disabled = false;
        if (told) location.hash = page("run", told.run);
      },
    },
    el("h2", {}, t("train.training")),
    labelled(t("train.recipe"), "", select),
    summary,
    unfit.length > 0 && el("details.small", {}, el("summary", {}, t("train.unfit", { n: unfit.length })), el("ul", {}, unfit.map((one) => el("li", {}, el("strong", {}, one.name), ": ", one.why_not)))),
    lengths(choice, () => recipe().usual_samples, changed),
    found.n_classes > 0 && learnClasses(found, choice, recipe, changed),
    el("details", { open: Boolean(choice.more) }, el("summary", {}, t("train.moreSettings")), labelled(t("train.settings"), t("train.settingsHow"), more)),
    estimate,
    el("p", {}, start),
    el("details", {}, el("summary", {}, t("train.asLines")), lines),
  );

  function asked() {
    return { recipe: choice.recipe, choices: choicesOf(choice, found) };
  }

  function changed() {
    summary.textContent = recipe().summary;
    clearTimeout(waiting);
    waiting = setTimeout(measure, WAIT);
  }

  async function measure() {
    const current = ++visit;
    if (!form.isConnected) return;
    fill(estimate, t("train.measuring"));
    const made = await attempt(() => api.post(address(name, "lines"), asked()));
    if (current !== visit) return;
    if (made) fill(lines, code(made.cli), code(made.python));
    try {
      const told = await api.post(address(name, "estimate"), asked());
      if (current === visit) fill(estimate, ...estimateWords(told));
    } catch (error) {
      if (current === visit) fill(estimate, el("span.notice.bad", { style: { display: "block" } }, error.message));
    }
  }

  changed();
  return form;
}

function estimateWords(told) {
  const time = told.high > told.low * 1.05 ? t("train.between", { low: duration(told.low), high: duration(told.high) }) : duration(told.low);
  const device = t("train.onDevice", { device: told.device === "cpu" ? t("train.cpu", { n: told.threads }) : told.device, rate: number(Number(told.rate.toPrecision(2))) });
  return [el("strong", {}, t("train.takes", { time })), " ", el("span.muted.small", {}, `${device} ${t("train.thenReport")}`)];
}

function lengths(choice, usual, changed) {
  const minutes = el("input", { type: "number", min: 0.1, step: "any", value: choice.minutes, style: { width: "6rem" }, "aria-label": t("train.minutes"), oninput: () => set("minutes", minutes) });
  const samples = el("input", { type: "number", min: 1, step: 1, value: choice.samples, style: { width: "9rem" }, "aria-label": t("train.samples"), oninput: () => set("samples", samples) });
  function set(kind, input) {
    if (Number(input.value) > 0) choice[kind] = Number(input.value);
    choice.length = kind;
    fieldset.querySelector(`[value=${kind}]`).checked = true;
    changed();
  }
  const option = (value, ...words) =>
    el("label.row", { style: { fontWeight: "normal", margin: ".2rem 0", flexWrap: "nowrap" } }, el("input", { type: "radio", name: "length", value, style: { flex: "none" }, checked: choice.length === value, onchange: () => { choice.length = value; changed(); } }), words.map((one) => (typeof one === "string" ? el("span", {}, one) : one)));
  const fieldset = el(
    "fieldset",
    {},
    el("legend", {}, t("train.length")),
    option("look", t("train.look")),
    option("usual", t("train.usual", { n: number(usual()) })),
    option("minutes", minutes, t("train.minutes")),
    option("samples", samples, t("train.samples")),
    option("converged", t("train.untilConverged")),
  );
  return fieldset;
}

function learnClasses(found, choice, recipe, changed) {
  if (choice.conditional === null) choice.conditional = found.labels_given;
  const box = el("input", { type: "checkbox", checked: choice.conditional, onchange: () => { choice.conditional = box.checked; changed(); } });
  return el("div", {}, el("label.row", { style: { fontWeight: "normal", flexWrap: "nowrap" } }, box, t("train.learnClasses", { n: found.n_classes })), el("p.small.muted", { style: { margin: 0 } }, t("train.learnClassesHow")));
}

function choicesOf(choice, found) {
  const made = {};
  if (choice.length === "look") made.minutes = 1;
  if (choice.length === "minutes") made.minutes = choice.minutes;
  if (choice.length === "samples") made.samples = choice.samples;
  if (choice.length === "converged") made.stop_when = "converged";
  const takes = found.recipes.find((one) => one.name === choice.recipe)?.takes_labels;
  if (found.n_classes > 0 && takes && choice.conditional !== null && choice.conditional !== found.labels_given) made.conditional = choice.conditional;
  for (const line of choice.more.split("\n")) {
    const [key, ...value] = line.split("=");
    if (value.length) made[key.trim().replaceAll("-", "_")] = plain(value.join("=").trim());
  }
  return made;
}

/** A setting as it is typed: a number, yes or no, or text. */
function plain(text) {
  if (/^(true|yes|on)$/i.test(text)) return true;
  if (/^(false|no|off)$/i.test(text)) return false;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
