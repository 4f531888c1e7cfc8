// The latents of a generator of images: a walk between two samples, sliders along the
// principal directions, and the latents of the user's own picture.

import { RequestFailed, api, attempt, code, el, fill, number, t } from "../kit.js";
import { address } from "./index.js";

const MAX_SIDE = 400; // pixels of the user's picture that are sent

/** The parts, each closed at first. `asked()` is what the form asks for. */
export function explore(about, asked) {
  return [walk(about, asked), directions(about, asked), inversion(about)];
}

const shared = ({ seed, label, code: codes, truncation }) => ({ seed, label, code: codes, truncation });

function part(title, how, ...children) {
  return el("details.card", {}, el("summary", {}, el("strong", {}, title)), el("div.stack", { style: { marginTop: ".6rem" } }, el("p.small.muted", {}, how), children));
}

function field(words, control) {
  return el("label.row", { style: { fontWeight: "normal" } }, words, control);
}

const count = (value) => el("input", { type: "number", min: 1, step: 1, value, style: { width: "5.5rem" } });
const lines = (told) => el("details", {}, el("summary", {}, t("use.asLines")), el("div.stack", { style: { marginTop: ".6rem" } }, code(told.cli), code(told.python)));
const picture = (source, alt, width) => el("img.pixels", { src: source, alt, style: { width, background: "#fff" } });

// ---- a walk -----------------------------------------------------------------------

function walk(about, asked) {
  const [from, to, steps] = [count(1), count(2), count(9)];
  steps.max = 33;
  const place = el("div.stack", { role: "status" });
  const button = el("button.primary", { type: "submit" }, t("use.walkGo"));
  const form = el(
    "form.row",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        const told = await attempt(() => api.get(address(about, "walk", { ...shared(asked()), a: from.value - 1, b: to.value - 1, steps: steps.value })));
        button.disabled = false;
        if (told) fill(place, el("div.row", { style: { gap: "2px" } }, told.images.map((one, index) => picture(one, t("use.step", { n: index + 1 }), "4.5rem"))), lines(told));
      },
    },
    field(t("use.fromImage"), from),
    field(t("use.toImage"), to),
    field(t("use.steps"), steps),
    button,
  );
  const made = part(t("use.walk"), t("use.walkHow"), form, place);
  made.addEventListener("walk", ({ detail: { index, end } }) => {
    (end ? to : from).value = index + 1;
    made.open = true;
  });
  made.classList.add("walk");
  return made;
}

// ---- directions -------------------------------------------------------------------

function directions(about, asked) {
  const place = el("div.stack");
  const made = part(t("use.directions"), t("use.directionsHow"), place);
  made.addEventListener("toggle", () => made.open && !place.hasChildNodes() && begin());

  async function begin() {
    fill(place, el("p", { role: "status" }, t("use.searching")));
    const of = shared(asked());
    const told = await attempt(() => api.get(address(about, "directions", of)));
    if (!told) {
      fill(place);
      return;
    }
    const image = el("img.pixels", { alt: t("use.movedAlt"), style: { width: "min(16rem, 100%)", alignSelf: "flex-start", background: "#fff" } });
    const which = count(1);
    const sliders = told.explained.map((share, index) => el("input", { type: "range", min: -told.most, max: told.most, step: 0.1, value: 0, "aria-label": t("use.direction", { n: index + 1, share: percent(share) }), oninput: () => draw() }));
    let drawing = false;
    let again = false;
    async function draw() {
      again = drawing; // the last position counts, those between are skipped
      if (drawing) return;
      drawing = true;
      const next = new Image();
      next.src = address(about, "moved.png", { ...of, number: which.value - 1, alpha: sliders.map((one) => one.value) });
      await next.decode().catch(() => {});
      image.src = next.src;
      drawing = false;
      if (again) draw();
    }
    which.oninput = () => which.value >= 1 && draw();
    const reset = el("button", { type: "button", onclick: () => { sliders.forEach((one) => (one.value = 0)); draw(); } }, t("use.reset"));
    fill(
      place,
      el("div", { style: { display: "flex", flexWrap: "wrap", gap: "1rem" } }, image, el("div", { style: { flex: "1 1 14rem" } }, field(t("use.image"), which), sliders.map((slider, index) => el("label.small", { style: { fontWeight: "normal" } }, t("use.direction", { n: index + 1, share: percent(told.explained[index]) }), slider)), reset)),
      lines(told),
    );
    draw();
  }
  return made;
}

const percent = (share) => `${number(Number((100 * share).toPrecision(2)))}%`;

// ---- the latents of a picture -----------------------------------------------------

function inversion(about) {
  const place = el("div.stack", { role: "status" });
  const file = el("input", { type: "file", accept: "image/*", "aria-label": t("use.myPicture"), onchange: () => start() });

  async function start() {
    if (!file.files.length) return;
    let png;
    try {
      png = await squeezed(file.files[0], about);
    } catch {
      fill(place, el("p.notice.bad", {}, t("use.noPicture")));
      return;
    }
    fill(place, el("p", {}, t("use.inverting")), el("progress", { "aria-label": t("use.inverting") }));
    try {
      const told = await api.post(`/api/use/${encodeURIComponent(about.name)}/invert`, { png });
      fill(
        place,
        el("div.row", {}, figure(told.given, t("use.given")), figure(told.found, t("use.found"))),
        el("p", {}, `${told.words}.`, " ", el("span.muted.small", {}, t("use.error", { n: number(Number(told.error.toPrecision(3))) }))),
        lines(told),
      );
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      fill(place, el("p.notice.bad", {}, error.message));
    }
    file.value = "";
  }
  return part(t("use.inversion"), t("use.inversionHow"), file, place);
}

function figure(source, words) {
  return el("figure", { style: { margin: 0 } }, picture(source, words, "9rem"), el("figcaption.small.muted", {}, words));
}

/** The middle of a picture, in the proportions and about the size of the generator's, as
 *  base64 of a PNG: nothing large is sent. */
async function squeezed(file, about) {
  const bitmap = await createImageBitmap(file);
  const [width, height] = about.size;
  const scale = Math.min(bitmap.width / width, bitmap.height / height);
  const smaller = Math.min(1, MAX_SIDE / Math.max(width, height));
  const canvas = el("canvas", { width: Math.round(width * smaller), height: Math.round(height * smaller) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (bitmap.width - scale * width) / 2, (bitmap.height - scale * height) / 2, scale * width, scale * height, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png").split(",")[1];
}
