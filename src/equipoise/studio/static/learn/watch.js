// What is watched: the pictures of the players, and the readings below them.

import { el, fill, number, t } from "../kit.js";
import { Picture, drawDensities, drawJudge, drawPlane, drawSign } from "./pictures.js";

const HEIGHTS = { densities: 260, judge: 170 };
const SIGNS = {
  1: ["real", "fake", "pull", "discriminator", "best"],
  2: ["real-point", "fake-point", "pull"],
};

export class Pictures {
  constructor() {
    this.place = el("div.stack");
    this.readings = el("dl.learn-readings");
    this.element = el("div.stack", {}, this.place, this.readings);
    this.shown = "D"; // behind the points of the plane
    this.pictures = [];
  }

  /** Make the pictures of a scene. */
  begin(scene, frame) {
    const hasJudge = frame.surface !== null;
    const hasBest = frame.optimum !== null;
    const kind = `${scene.dimension} ${hasJudge} ${hasBest}`;
    this.scene = scene;
    if (kind === this.kind) return;
    this.kind = kind;
    this.destroy();
    if (scene.dimension === 1) this.makeLine(hasJudge, hasBest);
    else this.makePlane(hasJudge, hasBest);
  }

  makeLine(hasJudge, hasBest) {
    const densities = this.canvas(HEIGHTS.densities, (...place) => drawDensities(...place, this.scene, this.frame));
    const signs = SIGNS[1].filter((sign) => (sign !== "best" || hasBest) && (sign !== "discriminator" || hasJudge));
    const parts = [this.legend(signs), densities];
    if (hasJudge) parts.push(this.canvas(HEIGHTS.judge, (...place) => drawJudge(...place, this.scene, this.frame, this.frame.output)));
    else parts.push(el("p.small.muted", {}, t("learn.sees-batches")));
    fill(this.place, parts);
  }

  makePlane(hasJudge, hasBest) {
    const plane = this.canvas((width) => width * 0.95, (...place) => drawPlane(...place, this.scene, this.frame, this.shown));
    plane.classList.add("plane");
    const options = ["D", ...(hasBest ? ["best"] : []), "none"];
    if (!options.includes(this.shown)) this.shown = "D";
    const behind = el(
      "div.learn-choices",
      { role: "group", "aria-label": t("learn.behind") },
      options.map((name) =>
        el(
          "button",
          {
            type: "button",
            "aria-pressed": String(name === this.shown),
            onclick: (event) => {
              this.shown = name;
              for (const button of behind.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
              this.redraw();
            },
          },
          t(`learn.behind.${name}`),
        ),
      ),
    );
    fill(this.place, this.legend(SIGNS[2]), plane, hasJudge ? [behind, el("p.small.muted", {}, t("learn.behind.words"))] : el("p.small.muted", {}, t("learn.sees-batches")));
  }

  canvas(height, draw) {
    const canvas = el("canvas.learn-picture", { role: "img" });
    const picture = new Picture(canvas, height, (...place) => this.frame && draw(...place));
    this.pictures.push(picture);
    return canvas;
  }

  legend(signs) {
    return el(
      "ul.learn-legend",
      {},
      signs.map((name) => {
        const sign = el("canvas", { "aria-hidden": "true", style: { width: "26px" } });
        this.pictures.push(new Picture(sign, 14, (context, width, height) => drawSign(context, width, height, name)));
        return el("li", {}, sign, t(`learn.sign.${name}`));
      }),
    );
  }

  show(frame) {
    this.frame = frame;
    this.redraw();
  }

  redraw() {
    for (const picture of this.pictures) if (picture.canvas.isConnected) picture.redraw();
  }

  /** The readings in words, and what the pictures show for who does not see them. */
  read({ readings, output, rate, playing }) {
    const one = this.scene.dimension === 1;
    const rows = [
      [t("learn.reading.steps"), number(readings.steps), playing ? t("learn.reading.rate", { n: number(rate, 2) }) : ""],
      [t(one ? "learn.reading.w1" : "learn.reading.sliced"), number(readings.divergence), t("learn.reading.floor", { n: number(readings.floor, 2) })],
      [t("learn.reading.balance"), output.balance ? number(readings.balance) : "–", output.balance ? t(`learn.balance.${output.name}`) : t("learn.balance.none")],
      [t("learn.reading.mean"), listed(readings.mean), t("learn.reading.real", { n: listed(this.scene.mean) })],
      [t("learn.reading.std"), listed(readings.std), t("learn.reading.real", { n: listed(this.scene.std) })],
      [t("learn.reading.pull"), number(readings.pull, 2), ""],
    ];
    if (readings.modes !== null) rows.push([t("learn.reading.modes"), t("learn.reading.of", { n: readings.modes, all: readings.modes + readings.missing }), ""]);
    fill(
      this.readings,
      rows.map(([name, value, beside]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, beside && el("small", {}, ` ${beside}`)))),
    );
    const words = { steps: number(readings.steps), distance: number(readings.divergence), floor: number(readings.floor, 2), mean: listed(readings.mean), std: listed(readings.std) };
    const labels = one ? ["learn.alt.densities", "learn.alt.judge"] : ["learn.alt.plane"];
    this.place.querySelectorAll("canvas.learn-picture").forEach((canvas, i) => canvas.setAttribute("aria-label", t(labels[i], words)));
  }

  destroy() {
    for (const picture of this.pictures) picture.destroy();
    this.pictures = [];
  }
}

/** A number for each axis, to a hundredth. */
const listed = (values) => values.map((value) => number(Number(value.toFixed(2)))).join(", ");
