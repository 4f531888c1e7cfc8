// Home: drop data, go on with data that is here, and the list of runs.

import { RequestFailed, announce, api, attempt, bytes, el, fill, keepingFocus, listen, number, t, toast } from "../kit.js";
import { isBusy, page, phaseTag, pictureAddress, progressWords } from "./parts.js";
import { chosen, dropped, send } from "./upload.js";

export function home(main) {
  const uploads = el("div.stack");
  const runs = el("div");
  main.append(
    el("h1", {}, t("train.homeTitle")),
    dropPlace(),
    el("section.card", { "aria-labelledby": "data-here" }, el("h2", { id: "data-here" }, t("train.dataHere")), uploads),
    el("section", { "aria-labelledby": "runs-here" }, el("h2", { id: "runs-here" }, t("train.runs")), runs),
  );
  const picked = new Set();
  const cards = new Map(); // by run, what its card shows and the card, which stays while that does
  const stops = [
    listen("uploads", (value) => keepingFocus(uploads, () => showUploads(uploads, value))),
    listen("runs", (value) => keepingFocus(runs, () => showRuns(runs, value, picked, cards))),
  ];
  return () => stops.forEach((stop) => stop());
}

function dropPlace() {
  const file = el("input.unseen", { type: "file", multiple: true, tabindex: -1, "aria-hidden": true, onchange: () => start(chosen(file)) });
  const folder = el("input.unseen", { type: "file", webkitdirectory: true, tabindex: -1, "aria-hidden": true, onchange: () => start(chosen(folder)) });
  const status = el("div.stack", { hidden: true });
  const place = el(
    "section.card",
    {
      style: { borderStyle: "dashed", borderWidth: "2px", textAlign: "center", padding: "2rem 1rem" },
      ondragover: (event) => {
        event.preventDefault();
        place.style.borderColor = "var(--accent)";
      },
      ondragleave: () => (place.style.borderColor = ""),
      ondrop: async (event) => {
        event.preventDefault();
        place.style.borderColor = "";
        start(await dropped(event.dataTransfer));
      },
    },
    el("p", { style: { fontSize: "1.15rem", fontWeight: 600, marginInline: "auto" } }, t("train.drop")),
    el("p.muted.small", { style: { marginInline: "auto" } }, t("train.dropMore")),
    el(
      "div.row",
      { style: { justifyContent: "center" } },
      el("button.primary", { type: "button", onclick: () => file.click() }, t("train.chooseFile")),
      el("button", { type: "button", onclick: () => folder.click() }, t("train.chooseFolder")),
      file,
      folder,
    ),
    status,
  );

  async function start(data) {
    if (data.files.length === 0) {
      toast(t("train.emptyFolder"), "bad");
      return;
    }
    const state = { cancelled: false };
    const bar = el("progress", { max: 1, value: 0, "aria-label": t("train.sending") });
    const words = el("p.small.muted", { style: { marginInline: "auto" } }, t("train.sending"));
    fill(status, bar, words, data.folder && el("button", { type: "button", onclick: () => (state.cancelled = true) }, t("train.cancel")));
    status.hidden = false;
    try {
      const name = await send(data, (fraction, text) => {
        bar.value = fraction;
        words.textContent = text;
      }, state);
      announce(t("train.sent"));
      if (name) location.hash = page("train", name);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      toast(error.message, "bad");
    }
    status.hidden = true;
    file.value = folder.value = "";
  }
  return place;
}

function showUploads(place, { uploads, sources }) {
  fill(
    place,
    uploads.length > 0 &&
      el(
        "ul",
        { style: { listStyle: "none", margin: 0, padding: 0 } },
        uploads.map((one) =>
          el(
            "li.row.spread",
            { style: { padding: ".25rem 0", borderBottom: "1px solid var(--line)" } },
            el("span", { style: { overflowWrap: "anywhere" } }, el("a", { href: page("train", one.name) }, one.name), " ", el("span.muted.small", {}, about(one))),
            el("button.quiet", { type: "button", "aria-label": t("train.removeOf", { name: one.name }), onclick: () => remove(one) }, t("train.remove")),
          ),
        ),
      ),
    el("p.small.muted", { style: { margin: 0 } }, t("train.sources")),
    el("div.row", {}, sources.map((one) => el("a.button", { href: page("train", one.name), title: one.summary }, one.name))),
  );
}

function about(one) {
  const size = one.is_folder ? t("train.folderSize", { n: number(one.files), size: bytes(one.bytes) }) : bytes(one.bytes);
  return one.described ? `${one.described} · ${size}` : size;
}

async function remove(one) {
  if (!confirm(t("train.removeSure", { name: one.name }))) return;
  await attempt(() => api.delete(`/api/uploads/${encodeURIComponent(one.name)}`));
}

function showRuns(place, value, picked, cards) {
  if (value.error) {
    fill(place, el("p.notice.bad", {}, value.error));
    return;
  }
  const names = new Set(value.runs.map((one) => one.name));
  for (const name of picked) if (!names.has(name)) picked.delete(name);
  const compare = el("button", { type: "button", id: "compare", onclick: () => (location.hash = `#/compare/${[...picked].map(encodeURIComponent).join("+")}`) });
  const told = () => {
    const button = document.getElementById("compare") ?? compare;
    button.disabled = picked.size < 2;
    button.textContent = picked.size < 2 ? t("train.compareHow") : t("train.compareN", { n: picked.size });
  };
  if (value.runs.length === 0) {
    fill(place, el("p.muted", {}, t("train.noRuns")));
    return;
  }
  fill(
    place,
    value.runs.length > 1 && el("p", {}, compare),
    el("div.grid", {}, value.runs.map((one) => kept(one, cards, value.runs.length > 1, () => runCard(one, picked, told, value.runs.length > 1)))),
  );
  told();
}

function kept(one, cards, several, make) {
  const shows = JSON.stringify([one, several]);
  if (cards.get(one.name)?.shows !== shows) cards.set(one.name, { shows, card: make() });
  return cards.get(one.name).card;
}

function runCard(one, picked, told, several) {
  const box = el("input", {
    type: "checkbox",
    checked: picked.has(one.name),
    "aria-label": t("train.pick", { name: one.name }),
    onchange: (event) => {
      if (event.target.checked) picked.add(one.name);
      else picked.delete(one.name);
      told();
    },
  });
  const status = one.samples_seen === null ? null : { ...one, samples_per_second: null };
  return el(
    "article.card",
    {},
    el("div.row.spread", {}, el("a", { href: page("run", one.name), style: { fontWeight: 650, overflowWrap: "anywhere" } }, one.name), several && box),
    el(
      "div.row",
      { style: { flexWrap: "nowrap", alignItems: "flex-start", marginTop: ".5rem" } },
      one.picture !== null &&
        el("img", { src: pictureAddress(one.name, one.picture), alt: t("train.pictureOf", { name: one.name }), loading: "lazy", style: { width: "6rem", height: "6rem", objectFit: "cover", objectPosition: "left top", background: "#fff", borderRadius: ".3rem" } }),
      el(
        "div",
        { style: { minWidth: 0 } },
        el("p.small.muted", { style: { margin: 0 } }, [one.data, one.recipe].filter(Boolean).join(" · ")),
        el("p", { style: { margin: ".3rem 0" } }, phaseTag(one.phase), " ", one.verdict && el("span.small", {}, one.verdict)),
        isBusy(one.phase) ? el("progress", { max: 1, value: one.progress ?? undefined, "aria-label": t("train.progressOf", { name: one.name }) }) : null,
        el("p.small.muted", { style: { margin: 0 } }, one.problem || (status ? progressWords(status) : "")),
      ),
    ),
  );
}
