// Learn: watch two networks play on one training of the real engine, steer it, and be
// guided through it by lessons. The server holds the training: all tabs see the same.

import { RequestFailed, announce, api, attempt, el, fill, listen, number, t, toast } from "../kit.js";
import { Charts } from "./charts.js";
import { drawingDialog } from "./drawing.js";
import { Lesson, lessonChooser } from "./lessons.js";
import { Pictures } from "./watch.js";
import { Settings } from "./settings.js";

const SLOW = 400; // milliseconds between changes of what is read, not looked at

function loadStyle() {
  const href = "/static/learn/learn.css";
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = el("link", { rel: "stylesheet", href });
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

/** Show the page in an element. lesson: the name of a lesson, or undefined.
 *  Returns what ends it. */
export async function mount(element, lesson) {
  const [catalogue] = await Promise.all([api.get("/api/learn/catalogue"), loadStyle()]);
  const page = new Page(element, catalogue);
  await page.begin(lesson);
  return () => page.end();
}

class Page {
  constructor(element, catalogue) {
    this.catalogue = catalogue;
    this.act = this.act.bind(this);
    this.pictures = new Pictures();
    this.charts = new Charts();
    this.settings = new Settings(catalogue, this.act);
    this.lesson = new Lesson(catalogue, this.act);
    this.findings = el("ul.learn-findings");
    this.transport = this.makeTransport();
    this.choices = el("div.learn-choices.learn-what", { role: "group", "aria-label": t("learn.distribution") });
    this.chooser = lessonChooser(catalogue);
    this.seen = { build: -1, changes: -1 };
    this.slow = 0;
    this.place = el(
      "div.learn",
      {},
      el(
        "div.learn-main",
        {},
        this.lesson.element,
        el("section.card", { "aria-label": t("learn.watch") }, this.choices, this.transport.element, this.pictures.element),
        el("section.card.learn-curves", { "aria-label": t("learn.curves") }, this.charts.element),
      ),
      el(
        "div.learn-side",
        {},
        el("section.card", {}, el("h2", {}, t("learn.diagnosis")), this.findings),
        el("section.card", {}, el("h2", {}, t("learn.settings")), this.settings.element),
      ),
    );
    element.append(el("div.learn-head", {}, el("h1", {}, t("learn.title")), this.chooser.element), this.place);
    this.showChoices();
  }

  async begin(lesson) {
    const now = await api.get("/api/learn");
    const current = now.frame.lesson?.name;
    this.take(now);
    if (lesson !== current) await this.act({ do: "lesson", lesson: lesson ?? null });
    this.stop = listen("learn", (frame) => this.show(frame));
  }

  end() {
    this.stop?.();
    this.pictures.destroy();
    this.charts.destroy();
  }

  /** Ask for something, and show what has come of it. Where it is refused,
   *  refused(line) is called, or the line is shown as a message. */
  async act(command, refused) {
    this.place.setAttribute("aria-busy", "true");
    const ask = () => api.post("/api/learn", command);
    const answer = refused ? await ask().catch((error) => void refused(told(error))) : await attempt(ask);
    this.place.removeAttribute("aria-busy");
    if (answer) this.take(answer);
    return answer;
  }

  /** Everything anew: another distribution, or other settings. */
  take({ frame, controls, whole }) {
    this.seen = { build: frame.build, changes: frame.changes };
    this.scene = whole.scene;
    this.pictures.begin(whole.scene, frame);
    this.charts.begin(whole, frame.output);
    this.settings.show(frame, controls);
    this.slow = 0;
    this.show(frame);
  }

  async show(frame) {
    if (frame.build !== this.seen.build || frame.changes !== this.seen.changes) {
      this.seen = { build: frame.build, changes: frame.changes }; // once, however many come meanwhile
      const answer = await attempt(() => api.get("/api/learn"));
      if (answer) this.take(answer);
      return;
    }
    this.frame = frame;
    if (frame.failed) toast(t("learn.failed"), "bad");
    this.pictures.show(frame);
    this.transport.show(frame);
    const now = performance.now();
    if (frame.playing && now - this.slow < SLOW) return;
    this.slow = now;
    this.charts.show(frame);
    this.pictures.read(frame);
    this.lesson.show(frame);
    this.chooser.show(frame);
    this.showFindings(frame);
    this.choices.hidden = frame.lesson !== null;
    for (const button of this.choices.querySelectorAll("[data-name]")) button.setAttribute("aria-pressed", button.dataset.name === frame.distribution);
  }

  // ---- playing

  makeTransport() {
    const button = (key, command) => el("button", { type: "button", onclick: () => this.act(command()), title: t(`${key}.title`) }, t(key));
    const play = el("button.primary", { type: "button", onclick: () => this.act({ do: this.frame.playing ? "pause" : "play" }) });
    const speed = el("select", { onchange: () => this.act({ do: "speed", speed: Number(speed.value) }) }, this.catalogue.speeds.map((n) => el("option", { value: n }, n ? t("learn.speed.some", { n }) : t("learn.speed.full"))));
    const players = el("select", { onchange: () => this.act({ do: "players", players: players.value }) }, ["both", "D", "G"].map((who) => el("option", { value: who }, t(`learn.players.${who}`))));
    const element = el(
      "div.learn-transport",
      {},
      play,
      button("learn.step.D", () => ({ do: "step", player: "D" })),
      button("learn.step.G", () => ({ do: "step", player: "G" })),
      button("learn.step.both", () => ({ do: "step", player: "both" })),
      button("learn.restart", () => ({ do: "reset" })),
      el("div.row", {}, el("label", {}, t("learn.speed"), speed), el("label", {}, t("learn.players"), players)),
    );
    let wasPlaying;
    const show = (frame) => {
      play.textContent = frame.playing ? t("learn.pause") : t("learn.play");
      if (wasPlaying && !frame.playing) announce(t("learn.paused", { n: frame.readings.steps }));
      wasPlaying = frame.playing;
      speed.value = String(frame.speed);
      players.value = frame.players;
    };
    return { element, show };
  }

  showChoices() {
    const choose = (name) => async () => {
      if (location.hash !== "#/learn") history.replaceState(null, "", "#/learn");
      await this.act({ do: "choose", distribution: name });
    };
    fill(
      this.choices,
      this.catalogue.distributions.map(({ name }) => el("button", { type: "button", dataset: { name }, onclick: choose(name) }, t(`learn.distribution.${name}`))),
      [1, 2].map((dimension) => el("button.quiet", { type: "button", onclick: () => drawingDialog(dimension, this.act) }, t(`learn.draw.${dimension}`))),
    );
  }

  // ---- the diagnosis

  showFindings({ findings }) {
    const key = JSON.stringify(findings.map(({ name, remedy }) => [name, remedy]));
    if (key === this.said) {
      this.findings.querySelectorAll("[data-text]").forEach((text, i) => (text.textContent = words(findings[i])));
      return;
    }
    this.said = key;
    fill(
      this.findings,
      findings.map((finding) => el("li.notice", { class: finding.kind === "note" ? "" : finding.kind }, el("p", { dataset: { text: "" } }, words(finding)), this.remedyButton(finding.remedy))),
    );
    const [first] = findings;
    if (first.kind === "warn" || first.kind === "bad") announce(words(first));
  }

  remedyButton(remedy) {
    if (!remedy) return null;
    const { field, value } = remedy;
    const command = { recipe: { do: "recipe", recipe: value }, players: { do: "players", players: value }, reset: { do: "reset" } }[field] ?? { do: "set", field, value };
    const label = field === "reset" ? t("learn.restart") : t("learn.mend", { field: t(`learn.field.${field}`), value: this.settings.valueText(field, value) });
    return el("button", { type: "button", onclick: () => this.act(command) }, label);
  }
}

/** The line of a refusal; any other error goes on. */
function told(error) {
  if (!(error instanceof RequestFailed)) throw error;
  return error.message;
}

function words({ name, values }) {
  const shown = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, number(value, 2)]));
  return t(`learn.finding.${name}`, shown);
}
