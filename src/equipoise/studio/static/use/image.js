// One generated image in a window of its own, and its nearest training images.

import { RequestFailed, api, el, fill, number, t } from "../kit.js";
import { address } from "./index.js";

export function openImage(about, asked, first, n) {
  let index = first;
  const image = el("img.pixels", { style: { width: "min(24rem, 80vw)", background: "#fff", borderRadius: ".3rem" } });
  const near = el("div");
  const title = el("h2", { id: "one-image" });
  const save = el("a.button", { download: "" }, t("use.savePng"));
  const back = el("button", { type: "button", onclick: () => show(index - 1) }, t("use.previous"));
  const next = el("button", { type: "button", onclick: () => show(index + 1) }, t("use.next"));
  const dialog = el(
    "dialog",
    {
      "aria-labelledby": "one-image",
      onclose: () => dialog.remove(),
      onclick: (event) => event.target === dialog && dialog.close(),
      onkeydown: (event) => {
        if (event.key === "ArrowLeft") show(index - 1);
        if (event.key === "ArrowRight") show(index + 1);
      },
    },
    el("div.stack", {}, el("div.row.spread", {}, title, el("button", { type: "button", "aria-label": t("use.close"), onclick: () => dialog.close() }, "✕")), image, el("div.row", {}, back, next, save, ["use.walkFrom", "use.walkTo"].map((words, end) => el("button.quiet", { type: "button", onclick: () => walkWith(index, end === 1) }, t(words)))), el("h3", {}, t("use.nearest")), near),
  );

  function walkWith(at, end) {
    document.querySelector(".walk")?.dispatchEvent(new CustomEvent("walk", { detail: { index: at, end } }));
    dialog.close();
    document.querySelector(".walk")?.scrollIntoView({ block: "center" });
  }

  async function show(wanted) {
    if (wanted < 0 || wanted >= n) return;
    index = wanted;
    const source = address(about, `images/${index}.png`, asked);
    image.src = save.href = source;
    save.download = `${about.name}-${asked.seed}-${index}.png`;
    image.alt = title.textContent = t("use.imageN", { n: index + 1 });
    back.disabled = index === 0;
    next.disabled = index === n - 1;
    fill(near, el("p.small.muted", { role: "status" }, t("use.searching")));
    const of = index;
    try {
      const told = await api.get(address(about, `images/${index}/nearest`, asked));
      if (of !== index) return;
      fill(
        near,
        el("div.row", {}, told.nearest.map((one, place) => el("figure", { style: { margin: 0 } }, el("img.pixels", { src: one, alt: t("use.nearestN", { n: place + 1 }), style: { width: "5rem", background: "#fff" } }), el("figcaption.small.muted", {}, number(Number(told.distances[place].toPrecision(3))))))),
        el("p.small.muted", { style: { marginTop: ".5rem" } }, t("use.nearestHow", { n: number(told.among) })),
      );
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      if (of === index) fill(near, el("p.small.muted", {}, error.message));
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  show(first);
}
