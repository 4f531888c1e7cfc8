// Small pieces that several pages of this part show.

import { duration, el, number, t } from "../kit.js";

const KINDS = { finished: "good", failed: "bad", diverged: "bad", interrupted: "warn", stopped: "warn" };
const SEVERITY = { good: "good", fair: "warn", bad: "bad" };
const MARKS = { good: "✓", fair: "▲", bad: "✗" };

/** What a run is doing, as a tag. */
export function phaseTag(phase) {
  return el("span.tag", { class: KINDS[phase] ?? "" }, t(`train.phase.${phase}`));
}

/** A verdict, as a tag with a sign beside its colour. */
export function verdictTag(name, severity) {
  return el("span.tag", { class: SEVERITY[severity] ?? "" }, severity ? `${MARKS[severity]} ${name}` : name);
}

/** Whether a process is at a run. */
export const isBusy = (phase) => ["starting", "training", "measuring"].includes(phase);

/** How far a run is, in words. */
export function progressWords(status) {
  if (!status) return t("train.opening");
  const parts = [t("train.seen", { n: number(status.samples_seen) })];
  if (status.samples_per_second) parts.push(t("train.rate", { n: number(Number(status.samples_per_second.toPrecision(3))) }));
  if (status.seconds_left !== null && status.seconds_left >= 1) parts.push(t("train.left", { time: duration(status.seconds_left) }));
  return parts.join(" · ");
}

/** The picture of samples of a run after so many samples. */
export const pictureAddress = (name, seen) => `/api/runs/${encodeURIComponent(name)}/pictures/${seen}`;

/** An address of the page. */
export const page = (kind, name) => `#/${kind}/${encodeURIComponent(name)}`;

/** A heading with what it holds, closed at first. */
export function folded(title, ...children) {
  return el("details.card", {}, el("summary", {}, el("strong", {}, title)), el("div.stack", { style: { marginTop: ".7rem" } }, children));
}

/** A table: heads, and rows of cells. A cell of {number: text} is set to the right. */
export function table(heads, rows, caption = "") {
  const cell = (tag, content) => (content && typeof content === "object" && "number" in content ? el(`${tag}.number`, {}, content.number) : el(tag, {}, content ?? ""));
  return el(
    "div.scroll",
    { tabindex: 0, role: "region", "aria-label": caption || heads.map((head) => head?.number ?? head).join(", ") },
    el("table", {}, el("thead", {}, el("tr", {}, heads.map((head) => cell("th", head)))), el("tbody", {}, rows.map((row) => el("tr", {}, row.map((one) => cell("td", one)))))),
  );
}
