// Several runs side by side, as they go.

import { RequestFailed, api, chart, decoded, el, fill, keepingFocus, listen, number, t } from "../kit.js";
import { page, phaseTag, pictureAddress, table } from "./parts.js";

const COLOURS = ["real", "fake", "discriminator", "other", "accent", "bad", "good", "muted"];
const WAIT = 1000; // milliseconds between two comparisons, which read all reports anew

export function compare(main, text) {
  const names = text.split("+").filter(Boolean).map(decoded);
  const place = el("div");
  main.append(el("p.small", {}, el("a", { href: "#/" }, t("train.back"))), el("h1", {}, t("train.compareTitle", { n: names.length })), place);
  let chartMade = null;
  let waiting = 0;
  let left = false;

  async function draw() {
    waiting = 0;
    try {
      const found = await api.get(`/api/compare?${names.map((name) => `name=${encodeURIComponent(name)}`).join("&")}`);
      if (left) return;
      chartMade?.destroy();
      keepingFocus(place, () => (chartMade = show(place, found)));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      fill(place, el("p.notice.bad", { role: "alert" }, error.message));
    }
  }
  const changed = () => {
    waiting ||= setTimeout(draw, WAIT);
  };
  draw();
  const stops = names.map((name) => listen(`run-${name}`, changed));
  return () => {
    left = true;
    clearTimeout(waiting);
    stops.forEach((stop) => stop());
    chartMade?.destroy();
  };
}

function show(place, found) {
  const { runs } = found;
  const measured = runs.filter((one) => one.verdict);
  const curve = el("div");
  fill(
    place,
    el("div.grid", { style: { gridTemplateColumns: "repeat(auto-fit, minmax(min(100%, 14rem), 1fr))" } }, runs.map(card)),
    el("section.card", {}, el("h2", {}, t("train.curves")), curve),
    found.metrics.length > 0 && el("section.card", {}, el("h2", {}, t("train.metrics")), table([t("train.metric"), ...measured.map((one) => ({ number: one.name })), { number: t("train.baseline") }], found.metrics.map((row) => [el("span", { title: `${row.meaning} (${row.better})` }, `${row.sign} ${row.label}`), ...measured.map((one) => ({ number: row.cells[one.name].filter(Boolean).join(" ") })), { number: row.baseline }]), t("train.metrics")), el("p.small.muted", {}, t("train.signs"))),
    found.settings.length > 0 && el("section.card", {}, el("h2", {}, t("train.differ")), table([t("train.setting"), ...runs.map((one) => one.name)], found.settings.map((row) => [row.name, ...row.values]), t("train.differ"))),
  );
  return curves(curve, runs);
}

function card(one) {
  const last = one.pictures.at(-1);
  return el(
    "article.card",
    {},
    el("a", { href: page("run", one.name), style: { fontWeight: 650, overflowWrap: "anywhere" } }, one.name),
    el("p", { style: { margin: ".3rem 0" } }, phaseTag(one.phase), " ", one.verdict),
    last !== undefined && el("img", { src: pictureAddress(one.name, last), alt: t("train.pictureAfter", { n: number(last) }), style: { maxWidth: "100%", background: "#fff", borderRadius: ".3rem" } }),
  );
}

/** The first metric that all have, over samples seen, in one chart. */
function curves(place, runs) {
  const some = runs.filter((one) => one.curves.metrics.samples_seen?.length);
  const keys = some.map((one) => Object.keys(one.curves.metrics).filter((key) => key !== "samples_seen"));
  const key = keys[0]?.find((one) => keys.every((of) => of.includes(one)));
  if (!key) {
    fill(place, el("p.muted", {}, t("train.noCommonMetric")));
    return null;
  }
  const all = [...new Set(some.flatMap((one) => one.curves.metrics.samples_seen))].sort((a, b) => a - b);
  const columns = some.map(({ curves: { metrics } }) => {
    const at = new Map(metrics.samples_seen.map((seen, index) => [seen, metrics[key][index]]));
    return all.map((seen) => (at.has(seen) ? at.get(seen) : undefined));
  });
  const baseline = some.map((one) => one.curves.baselines[key]).find((value) => value !== undefined && value !== null);
  const label = some[0].curves.labels[key] ?? key;
  place.append(el("h3", {}, baseline === undefined ? label : t("train.withBaseline", { metric: label, n: number(baseline) })));
  const made = chart(place, { label, series: some.map((one, index) => ({ label: one.name, colour: COLOURS[index] })), xLabel: t("train.samplesSeen"), height: 240, level: baseline });
  made.set([all, ...columns]);
  return made;
}
