// Drawing a distribution: heights on the line, or points on the plane, by pointer or by
// arrow keys.

import { announce, colour, el, number, t } from "../kit.js";
import { Picture } from "./pictures.js";

const BARS = 48;
const LIMIT = 4; // of both axes
const STEP = 0.25; // of the cursor on the plane
const SPRAY = 5; // points at once
const SPREAD = 0.12; // standard deviation of a spray
const MOST_POINTS = 2000;

/** Ask for a drawing, and have it learned. */
export function drawingDialog(dimension, act) {
  const pad = dimension === 1 ? new LinePad() : new PlanePad();
  const dialog = el("dialog", { "aria-labelledby": "learn-draw-title" });
  const refusal = el("p.small.learn-refused", { role: "alert" });
  const close = () => dialog.close();
  const learn = async () => {
    history.replaceState(null, "", "#/learn");
    if (await act({ do: "draw", ...pad.drawn() }, (line) => (refusal.textContent = line))) close();
  };
  dialog.append(
    el("h2", { id: "learn-draw-title" }, t(`learn.draw.${dimension}.title`)),
    el("p.small.muted", { id: "learn-draw-help" }, t(`learn.draw.${dimension}.help`)),
    pad.canvas,
    refusal,
    el(
      "div.row",
      { style: { marginTop: ".8rem" } },
      el("button.primary", { type: "button", onclick: learn }, t("learn.draw.learn")),
      el("button", { type: "button", onclick: () => pad.clear() }, t("learn.draw.clear")),
      el("button.quiet", { type: "button", onclick: close }, t("learn.draw.cancel")),
    ),
  );
  dialog.addEventListener("close", () => {
    pad.picture.destroy();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  pad.canvas.focus();
}

/** What both pads share: a canvas that is drawn on by pointer and by keys. */
class Pad {
  constructor(label, height) {
    this.canvas = el("canvas.learn-pad", { tabindex: 0, role: "application", "aria-label": label, "aria-describedby": "learn-draw-help" });
    this.picture = new Picture(this.canvas, height, (...place) => this.draw(...place));
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.stroke(this.place(event), true);
    });
    this.canvas.addEventListener("pointermove", (event) => event.buttons && this.stroke(this.place(event), false));
    this.canvas.addEventListener("keydown", (event) => {
      if (!this.key(event.key)) return;
      event.preventDefault();
      this.picture.redraw();
    });
  }

  /** Where a pointer is, each from 0 to 1. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const clip = (value) => Math.min(Math.max(value, 0), 0.9999);
    return [clip((event.clientX - box.left) / box.width), clip(1 - (event.clientY - box.top) / box.height)];
  }
}

class LinePad extends Pad {
  constructor() {
    super(t("learn.draw.1.title"), 220);
    this.clear();
  }

  clear() {
    this.heights = Array(BARS).fill(0);
    this.cursor = BARS / 2;
    this.picture.redraw();
  }

  stroke([x, y], isFirst) {
    const bar = Math.floor(x * BARS);
    const from = isFirst ? bar : this.last;
    const [left, right] = [Math.min(from, bar), Math.max(from, bar)];
    for (let i = left; i <= right; i += 1) this.heights[i] = y;
    this.last = this.cursor = bar;
    this.picture.redraw();
  }

  key(name) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[name];
    const grow = { ArrowUp: 0.1, ArrowDown: -0.1 }[name];
    if (!move && !grow) return false;
    if (move) this.cursor = Math.min(Math.max(this.cursor + move, 0), BARS - 1);
    else this.heights[this.cursor] = Math.min(Math.max(this.heights[this.cursor] + grow, 0), 1);
    const x = -LIMIT + ((this.cursor + 0.5) * 2 * LIMIT) / BARS;
    announce(t("learn.draw.1.at", { x: number(x), height: number(this.heights[this.cursor], 2) }));
    return true;
  }

  draw(context, width, height) {
    const bar = width / BARS;
    context.fillStyle = colour("line");
    context.fillRect(this.cursor * bar, 0, bar, height);
    context.fillStyle = colour("real");
    this.heights.forEach((value, i) => context.fillRect(i * bar, height * (1 - value), bar - 1, height * value));
  }

  drawn() {
    return { heights: this.heights, low: -LIMIT, high: LIMIT };
  }
}

class PlanePad extends Pad {
  constructor() {
    super(t("learn.draw.2.title"), (width) => Math.min(width, 420));
    this.clear();
  }

  clear() {
    this.points = [];
    this.cursor = [0, 0];
    this.picture.redraw();
  }

  spray(x, y) {
    for (let i = 0; i < SPRAY && this.points.length < MOST_POINTS; i += 1) {
      const [radius, angle] = [SPREAD * Math.sqrt(-2 * Math.log(1 - Math.random())), 2 * Math.PI * Math.random()];
      this.points.push([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
    }
  }

  stroke([x, y]) {
    this.cursor = [(2 * x - 1) * LIMIT, (2 * y - 1) * LIMIT];
    this.spray(...this.cursor);
    this.picture.redraw();
  }

  key(name) {
    const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[name];
    if (!move && name !== " ") return false;
    if (move) this.cursor = this.cursor.map((value, i) => Math.min(Math.max(value + move[i], -LIMIT), LIMIT));
    else this.spray(...this.cursor);
    announce(t("learn.draw.2.at", { x: number(this.cursor[0]), y: number(this.cursor[1]), n: this.points.length }));
    return true;
  }

  draw(context, width, height) {
    const at = ([x, y]) => [((x / LIMIT + 1) / 2) * width, (1 - (y / LIMIT + 1) / 2) * height];
    context.fillStyle = colour("real");
    for (const point of this.points) {
      const [x, y] = at(point);
      context.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
    const [x, y] = at(this.cursor);
    context.strokeStyle = colour("muted");
    context.strokeRect(x - 6, y - 6, 12, 12);
  }

  drawn() {
    return { x: this.points.map(([x]) => x), y: this.points.map(([, y]) => y) };
  }
}
