// One run: progress, samples through time, trouble, curves, the verdict and what next.

import { announce, api, attempt, chart, code, el, fill, keepingFocus, listen, number, t, toast } from "../kit.js";
import { folded, isBusy, page, phaseTag, pictureAddress, progressWords, table, verdictTag } from "./parts.js";

const SHOWN_METRICS = 5;
const FRAME = 250; // milliseconds of a picture while the pictures play

export function run(main, name) {
  const head = el("div");
  const trouble = el("div");
  const verdict = el("div");
  const scrubber = makeScrubber(name);
  const charts = makeCharts();
  const details = el("div");
  main.append(
    el("p.small", {}, el("a", { href: "#/" }, t("train.back"))),
    el("h1", { style: { overflowWrap: "anywhere" } }, name),
    head,
    trouble,
    verdict,
    el("div.grid", { style: { gridTemplateColumns: "repeat(auto-fit, minmax(min(100%, 24rem), 1fr))", alignItems: "start" } }, scrubber.element, charts.element),
    details,
  );
  let before = {};
  const stop = listen(`run-${name}`, (value) => {
    if (value.error) {
      fill(head, el("p.notice.bad", { role: "alert" }, value.error));
      return;
    }
    const differs = (key, of) => {
      const now = JSON.stringify(of);
      const changed = before[key] !== now;
      before[key] = now;
      return changed;
    };
    if (differs("actions", [value.phase, value.has_generator, value.has_page, value.problem])) keepingFocus(head, () => showHead(head, value));
    head.dispatchEvent(new CustomEvent("progress", { detail: value }));
    if (differs("trouble", [value.curves.events, value.about?.notes])) showTrouble(trouble, value);
    if (differs("verdict", [value.report, value.phase])) keepingFocus(verdict, () => showVerdict(verdict, value));
    if (differs("pictures", value.pictures)) scrubber.set(value.pictures);
    if (differs("curves", value.curves)) charts.set(value.curves);
    if (differs("details", [value.output, value.about, value.left_out])) keepingFocus(details, () => showDetails(details, value));
  });
  return () => {
    stop();
    scrubber.destroy();
    charts.destroy();
  };
}

// ---- how far it is, and what can be done ------------------------------------------

function showHead(place, value) {
  const { name, phase } = value;
  const bar = el("progress", { max: 1, "aria-label": t("train.progressOf", { name }) });
  const words = el("p.small.muted", { style: { margin: ".3rem 0" } });
  fill(
    place,
    el(
      "section.card",
      { "aria-label": t("train.progress") },
      el("p", { style: { margin: 0 } }, phaseTag(phase), " ", el("span.muted", {}, [value.about?.data ?? value.data, value.about?.recipe].filter(Boolean).join(" · "))),
      bar,
      words,
      value.problem && el("p.notice.bad", { role: "alert", style: { overflowWrap: "anywhere" } }, value.problem),
      el("div.row", {}, actions(value)),
    ),
  );
  place.addEventListener("progress", ({ detail }) => {
    if (!bar.isConnected) return;
    const done = detail.status?.progress;
    if (done === null || done === undefined || detail.phase === "measuring") bar.removeAttribute("value");
    else bar.value = done;
    bar.hidden = !isBusy(detail.phase) && detail.phase !== "stopped" && detail.phase !== "interrupted";
    words.textContent = detail.phase === "measuring" ? t("train.measuringSamples") : detail.phase === "failed" ? "" : progressWords(detail.status);
  });
  announce(`${name}: ${t(`train.phase.${phase}`)}`);
}

function actions(value) {
  const { name, phase, status } = value;
  const address = (what) => `/api/runs/${encodeURIComponent(name)}/${what}`;
  const made = [];
  if (isBusy(phase)) {
    const words = phase === "training" ? t("train.stop") : t("train.stopNow");
    made.push(el("button", { type: "button", onclick: async (event) => {
      event.target.disabled = true;
      const told = await attempt(() => api.post(address("stop")));
      if (told) toast(t("train.stopping"));
      else event.target.disabled = false;
    } }, words));
  } else if (status) {
    if (["stopped", "interrupted", "diverged"].includes(phase)) made.push(el("button.primary", { type: "button", onclick: () => resume(name, {}) }, t("train.goOn")));
    if (phase === "finished" && !value.report) made.push(el("button.primary", { type: "button", onclick: () => resume(name, {}) }, t("train.measure")));
    made.push(longer(name, status));
  }
  if (!status && !isBusy(phase)) made.push(el("button", { type: "button", onclick: async () => {
    if (await attempt(() => api.delete(`/api/runs/${encodeURIComponent(name)}`))) location.hash = "#/";
  } }, t("train.dismiss")));
  if (value.has_generator) made.unshift(el("a.button", { href: page("use", name) }, t("train.use")));
  if (value.data) made.push(el("a.button", { href: page("train", value.data.split("/").pop()) }, t("train.again")));
  if (value.has_page) made.push(el("a.button", { href: address("files/report.html"), download: "" }, t("train.report")));
  return made;
}

function longer(name, status) {
  const input = el("input", { type: "number", min: 1, step: 1, value: Math.round(2 * status.samples_seen) || 100000, style: { width: "9rem" }, "aria-label": t("train.samplesInAll") });
  return el("form.row", { onsubmit: (event) => { event.preventDefault(); resume(name, { samples: Number(input.value) }); } }, el("button", { type: "submit" }, t("train.longer")), input, el("span.small.muted", {}, t("train.samplesInAll")));
}

async function resume(name, choices) {
  const told = await attempt(() => api.post(`/api/runs/${encodeURIComponent(name)}/resume`, { choices }));
  if (told) toast(t("train.resumed"), "good");
}

// ---- trouble ----------------------------------------------------------------------

function showTrouble(place, value) {
  const events = value.curves.events.slice(-6).reverse();
  fill(place, events.map((one) => el("p.notice", { class: one.kind === "early_stopped" ? "good" : one.kind === "diverged" ? "bad" : "warn" }, el("strong", {}, t("train.after", { n: number(one.samples_seen) })), " ", one.kind === "recovered" ? t("train.recovered", { what: one.text }) : one.kind === "early_stopped" ? t("train.earlyStopped") : one.text)));
  if (events.length && events[0].kind !== "early_stopped") announce(events[0].text);
}

// ---- the verdict ------------------------------------------------------------------

function showVerdict(place, value) {
  const { report } = value;
  if (!report) {
    fill(place);
    return;
  }
  if (report.problem) {
    fill(place, el("p.notice.warn", {}, report.problem));
    return;
  }
  const { verdict } = report;
  const rows = report.metrics.map((one) => [el("span", { title: one.meaning }, `${one.sign} ${one.label}`), { number: one.value }, one.interval, { number: one.baseline }]);
  fill(
    place,
    el(
      "section.card.stack",
      { "aria-labelledby": "verdict", style: { borderLeft: `.35rem solid var(--${{ good: "good", fair: "warn", bad: "bad" }[verdict.severity]})` } },
      el("h2", { id: "verdict" }, t("train.verdict"), " ", verdictTag(verdict.name, verdict.severity), verdict.sure === "likely" && el("span.small.muted", {}, ` ${t("train.likely")}`)),
      el("p", {}, verdict.sentence),
      el("p", {}, verdict.advice),
      el("div.row", {}, nextStep(value)),
      evidence(rows.slice(0, SHOWN_METRICS)),
      rows.length > SHOWN_METRICS && el("details", {}, el("summary", {}, t("train.moreMetrics", { n: rows.length - SHOWN_METRICS })), evidence(rows.slice(SHOWN_METRICS))),
      el("p.small.muted", {}, t("train.signs")),
      el("p.small.muted", {}, `${report.protocol}; ${report.summary}`),
    ),
  );
}

function evidence(rows) {
  return table([t("train.metric"), { number: t("train.generated") }, t("train.interval"), { number: t("train.baseline") }], rows, t("train.evidence"));
}

function nextStep(value) {
  const { next, verdict } = value.report;
  if (!next) return verdict.command ? code(verdict.command) : null;
  if (next.action === "use") return el("a.button.primary", { href: page("use", value.name) }, t("train.useNow"));
  const busy = isBusy(value.phase);
  if (next.action === "resume") {
    return [el("button.primary", { type: "button", disabled: busy, onclick: () => resume(value.name, next.choices) }, next.choices.samples ? t("train.nextLonger", { n: number(Number(next.choices.samples)) }) : t("train.goOn")), el("code.small.muted", {}, verdict.command)];
  }
  if (!value.data) return code(verdict.command);
  return [el("button.primary", { type: "button", disabled: busy, onclick: () => startNext(value, next) }, t("train.nextTrain")), el("code.small.muted", {}, verdict.command)];
}

async function startNext(value, next) {
  const data = value.data.split("/").pop();
  const asked = { recipe: next.recipe ?? "balanced", choices: next.choices };
  const told = await attempt(() => api.post(`/api/data/${encodeURIComponent(data)}/start`, asked));
  if (told) location.hash = page("run", told.run);
}

// ---- samples through time ---------------------------------------------------------

function makeScrubber(name) {
  const image = el("img", { alt: "", style: { maxWidth: "100%", background: "#fff", borderRadius: ".3rem", display: "block" } });
  const words = el("output.small.muted");
  const range = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": t("train.scrub"), oninput: () => { follows = Number(range.value) === seen.length - 1; show(); } });
  const play = el("button", { type: "button", onclick: () => (timer ? pause() : begin()) }, t("train.play"));
  const element = el("section.card.stack", { hidden: true, "aria-labelledby": "through-time" }, el("h2", { id: "through-time" }, t("train.throughTime")), image, range, el("div.row.spread", {}, words, play));
  let seen = [];
  let follows = true; // the newest picture, until the user goes back
  let timer = 0;

  function show() {
    const at = seen[Number(range.value)];
    if (at === undefined) return;
    image.src = pictureAddress(name, at);
    image.alt = t("train.pictureAfter", { n: number(at) });
    words.textContent = t("train.pictureAfter", { n: number(at) });
    range.setAttribute("aria-valuetext", words.textContent);
  }
  function begin() {
    if (Number(range.value) === seen.length - 1) range.value = 0;
    play.textContent = t("train.pause");
    timer = setInterval(() => {
      if (Number(range.value) >= seen.length - 1) return pause();
      range.value = Number(range.value) + 1;
      return show();
    }, FRAME);
    show();
  }
  function pause() {
    clearInterval(timer);
    timer = 0;
    play.textContent = t("train.play");
  }
  return {
    element,
    set(pictures) {
      seen = pictures;
      element.hidden = seen.length === 0;
      range.max = Math.max(seen.length - 1, 0);
      if (follows && !timer) range.value = range.max;
      play.hidden = seen.length < 2;
      show();
    },
    destroy: pause,
  };
}

// ---- curves -----------------------------------------------------------------------

function makeCharts() {
  const element = el("section.card.stack", { "aria-labelledby": "curves", hidden: true }, el("h2", { id: "curves" }, t("train.curves")));
  const made = [];
  let drawn = "";

  function draw(curves) {
    made.splice(0).forEach((one) => one.chart.destroy());
    fill(element, el("h2", { id: "curves" }, t("train.curves")));
    const primary = Object.keys(curves.metrics).find((key) => key !== "samples_seen");
    const add = (title, from, keys, level) => {
      const some = keys.filter(([key]) => curves[from][key]?.some((value) => value !== null));
      if (!some.length) return;
      element.append(el("h3", {}, title));
      const series = some.map(([key, label, colour]) => ({ label, colour, key }));
      made.push({ from, keys: some.map(([key]) => key), chart: chart(element, { label: title, series, xLabel: t("train.samplesSeen"), height: 160, level }) });
    };
    const words = (key) => curves.labels[key] ?? key;
    const baseline = primary && curves.baselines[primary];
    if (primary) add(baseline === undefined || baseline === null ? words(primary) : t("train.withBaseline", { metric: words(primary), n: number(baseline) }), "metrics", [[primary, words(primary), "fake"]], baseline ?? undefined);
    add(t("train.outputs"), "reports", [["real_output", t("train.onReal"), "real"], ["fake_output", t("train.onFake"), "fake"]]);
    add(t("train.losses"), "reports", [["discriminator_loss", "D", "discriminator"], ["generator_loss", "G", "fake"]]);
    add(t("train.balance"), "reports", [["balance", t("train.balance"), "discriminator"]], 0.5);
  }
  return {
    element,
    set(curves) {
      const has = curves.reports.samples_seen?.length > 0;
      element.hidden = !has;
      if (!has) return;
      const shape = JSON.stringify([Object.keys(curves.reports), Object.keys(curves.metrics), curves.baselines]);
      if (shape !== drawn) draw(curves);
      drawn = shape;
      for (const one of made) one.chart.set([curves[one.from].samples_seen, ...one.keys.map((key) => curves[one.from][key])]);
    },
    destroy: () => made.forEach((one) => one.chart.destroy()),
  };
}

// ---- everything else --------------------------------------------------------------

function showDetails(place, value) {
  const open = new Set([...place.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const part = (key, title, ...children) => {
    const made = folded(title, ...children);
    made.dataset.key = key;
    made.open = open.has(key);
    return made;
  };
  const { about, left_out: left } = value;
  fill(
    place,
    about?.notes.length > 0 && part("notes", t("train.notes", { n: about.notes.length }), about.notes.map((note) => el("p.small", { style: { overflowWrap: "anywhere" } }, note))),
    left.count > 0 && part("left", t("train.leftOut", { n: number(left.count) }), table([t("train.file"), t("train.why")], left.shown)),
    about && part("settings", t("train.chosen"), settings(about), code([about.command[0]?.split("/").pop() ?? "equipoise", ...about.command.slice(1)].join(" ").trim() || "equipoise")),
    value.output.length > 0 && part("output", t("train.output"), el("pre", { tabindex: 0, style: { maxHeight: "24rem", overflow: "auto" } }, value.output.join("\n"))),
  );
}

function settings(about) {
  const rows = Object.entries({ recipe: about.recipe, ...about.requested, ...about.machine }).filter(([, one]) => one !== null && typeof one !== "object");
  return table([t("train.setting"), t("train.value")], rows.map(([key, one]) => [key.replaceAll("_", " "), String(one)]));
}
