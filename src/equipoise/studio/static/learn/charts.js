// The curves over the steps: losses, balance and the distance beside its floor.

import { chart, el, fill, t } from "../kit.js";

const MOST = 600; // measurements; beyond that every other one is left out
const HEIGHT = 150;

export class Charts {
  constructor() {
    this.element = el("div.learn-charts");
    this.charts = [];
  }

  /** Begin with what was measured before the page was opened. */
  begin({ build, scene, history }, output) {
    const key = `${build} ${output.balance}`;
    if (key === this.key) return;
    this.key = key;
    this.destroy();
    this.floor = scene.floor;
    this.rows = history.map((row) => [...row]);
    const distance = t(scene.dimension === 1 ? "learn.reading.w1" : "learn.reading.sliced");
    this.charts = [
      this.make(t("learn.chart.losses"), [["D", "discriminator"], ["G", "fake"]], (rows) => [column(rows, 1), column(rows, 2)]),
      output.balance ? this.make(t("learn.chart.balance"), [["D", "discriminator"]], (rows) => [column(rows, 3)], { range: [0, 1], level: 0.5 }) : null,
      this.make(distance, [[t("learn.chart.now"), "fake"], [t("learn.chart.floor"), "other"]], (rows) => [column(rows, 4), rows.map(() => this.floor)]),
    ].filter(Boolean);
    fill(this.element, this.charts.map(({ card }) => card));
    this.draw();
  }

  make(title, series, data, options = {}) {
    const place = el("div");
    const card = el("div", {}, el("h3", {}, title), place);
    this.element.append(card);
    const made = chart(place, { label: title, height: HEIGHT, xLabel: "", series: series.map(([label, colour]) => ({ label, colour })), ...options });
    return { card, made, data };
  }

  show({ readings }) {
    const last = this.rows.at(-1)?.[0] ?? -1;
    if (readings.steps > last) this.rows.push([readings.steps, readings.discriminator_loss, readings.generator_loss, readings.balance, readings.divergence]);
    if (this.rows.length > MOST) this.rows = this.rows.filter((_, i) => i % 2 === 0);
    this.draw();
  }

  draw() {
    for (const { made, data } of this.charts) made.set([column(this.rows, 0), ...data(this.rows)]);
  }

  destroy() {
    for (const { made } of this.charts) made.destroy();
    this.charts = [];
  }
}

const column = (rows, at) => rows.map((row) => row[at]);
