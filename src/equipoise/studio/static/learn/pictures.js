// The pictures: densities or points with D, drawn on canvases.

import { colour, number, t } from "../kit.js";

const TOP = 22; // pixels of a picture above and below its axes, and beside them
const BOTTOM = 26;
const SIDE = 44;
const ARROW = 34; // pixels of a pull of length 1; longer ones grow ever more slowly

/** A canvas that is as sharp as the screen, and asks for its drawing when it is resized. */
export class Picture {
  constructor(canvas, height, draw) {
    Object.assign(this, { canvas, height, draw, context: canvas.getContext("2d") });
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(canvas);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = this.redraw.bind(this);
    this.dark.addEventListener("change", this.redraw);
  }

  redraw() {
    const ratio = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    const height = typeof this.height === "function" ? this.height(this.width) : this.height;
    if (!this.width) return;
    if (this.canvas.width !== Math.round(this.width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = `${height}px`;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, this.width, height);
    this.draw(this.context, this.width, height);
  }

  destroy() {
    this.resized.disconnect();
    this.dark.removeEventListener("change", this.redraw);
  }
}

/** Linear scales from data to pixels. */
function scales(low, high, bottom, top, width, height) {
  return {
    x: (value) => SIDE + ((value - low) / (high - low)) * (width - SIDE - 10),
    y: (value) => height - BOTTOM - ((value - bottom) / (top - bottom || 1)) * (height - TOP - BOTTOM),
  };
}

/** Round values between two ends, for an axis. */
export function ticks(low, high, wanted = 6) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

function axes(context, at, width, height, [low, high], [bottom, top], title, rows = 4) {
  context.save();
  context.font = "12px system-ui, sans-serif";
  context.strokeStyle = colour("line");
  context.fillStyle = colour("muted");
  context.lineWidth = 1;
  context.textAlign = "center";
  for (const value of ticks(low, high, width < 480 ? 4 : 8)) {
    line(context, [[at.x(value), TOP], [at.x(value), height - BOTTOM]]);
    context.fillText(number(value), at.x(value), height - BOTTOM + 16);
  }
  context.textAlign = "right";
  for (const value of ticks(bottom, top, rows)) {
    line(context, [[SIDE, at.y(value)], [width - 10, at.y(value)]]);
    context.fillText(number(value), SIDE - 6, at.y(value) + 4);
  }
  context.textAlign = "left";
  context.fillStyle = colour("muted");
  context.fillText(title, 2, 11);
  context.restore();
}

function line(context, points) {
  context.beginPath();
  let pen = false;
  for (const point of points) {
    if (point === null) pen = false;
    else if (pen) context.lineTo(...point);
    else {
      context.moveTo(...point);
      pen = true;
    }
  }
  context.stroke();
}

// ---- the line -----------------------------------------------------------------------

/** Both densities, samples as ticks, and the pulls on them. */
export function drawDensities(context, width, height, scene, frame) {
  const [low] = scene.low;
  const [high] = scene.high;
  const top = 1.25 * Math.max(...scene.density);
  const at = scales(low, high, 0, top, width, height);
  axes(context, at, width, height, [low, high], [0, top], t("learn.axis.density"));
  const curve = (values) => scene.x.map((x, i) => [at.x(x), Math.max(at.y(values[i]), TOP - 8)]);
  const base = at.y(0);
  context.save();
  for (const [values, name, dash] of [[scene.density, "real", []], [frame.density, "fake", [7, 4]]]) {
    const points = curve(values);
    context.globalAlpha = 0.14;
    context.fillStyle = colour(name);
    context.beginPath();
    context.moveTo(points[0][0], base);
    for (const point of points) context.lineTo(...point);
    context.lineTo(points.at(-1)[0], base);
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colour(name);
    context.lineWidth = 2.4;
    context.setLineDash(dash);
    line(context, points);
  }
  context.setLineDash([]);
  context.strokeStyle = colour("fake");
  context.lineWidth = 1;
  context.globalAlpha = 0.5;
  for (const [x] of frame.samples.slice(0, 120)) line(context, [[at.x(x), base - 7], [at.x(x), base]]);
  context.globalAlpha = 1;
  const row = (i) => base - 14 - (i % 4) * 8;
  frame.pulls.forEach(([dx], i) => {
    const x = at.x(frame.samples[i][0]);
    if (x > SIDE && x < width - 10) arrow(context, x, row(i), grown(dx, scene), 0);
  });
  context.restore();
}

/** D and the best D along the line. */
export function drawJudge(context, width, height, scene, frame, output) {
  const [low] = scene.low;
  const [high] = scene.high;
  const values = frame.surface.values;
  const best = frame.optimum?.values;
  let [bottom, top] = [0, 1];
  if (output.name !== "probability") {
    const inside = values.filter((_, i) => scene.density[i] > 0.01 * Math.max(...scene.density));
    const known = [...inside, ...(best ?? [])].filter((v) => v !== null);
    const most = Math.max(0.5, ...known.map(Math.abs));
    [bottom, top] = [-most, most];
  }
  const at = scales(low, high, bottom, top, width, height);
  axes(context, at, width, height, [low, high], [bottom, top], t(`learn.axis.${output.name}`));
  context.save();
  context.beginPath();
  context.rect(SIDE, TOP, width - SIDE - 10, height - TOP - BOTTOM);
  context.clip();
  const level = output.name === "probability" ? 0.5 : 0;
  context.strokeStyle = colour("muted");
  context.setLineDash([3, 3]);
  line(context, [[SIDE, at.y(level)], [width - 10, at.y(level)]]);
  context.lineWidth = 2.4;
  if (best) {
    context.strokeStyle = colour("text");
    context.setLineDash([7, 4]);
    line(context, best.map((v, i) => (v === null ? null : [at.x(scene.x[i]), at.y(v)])));
  }
  context.setLineDash([]);
  context.strokeStyle = colour("discriminator");
  line(context, values.map((v, i) => [at.x(scene.x[i]), at.y(v)]));
  context.restore();
}

// ---- the plane ----------------------------------------------------------------------

/** D as a background, real and generated points, and the pulls. shown: "D", "best" or
 *  "none". */
export function drawPlane(context, width, height, scene, frame, shown) {
  const at = scales(scene.low[0], scene.high[0], scene.low[1], scene.high[1], width, height);
  const surface = shown === "D" ? frame.surface : shown === "best" ? frame.optimum : null;
  if (surface) drawSurface(context, at, scene, surface);
  axes(context, at, width, height, [scene.low[0], scene.high[0]], [scene.low[1], scene.high[1]], "", 8);
  context.save();
  context.beginPath();
  context.rect(SIDE, TOP, width - SIDE - 10, height - TOP - BOTTOM);
  context.clip();
  context.lineWidth = 1.2;
  context.strokeStyle = colour("real");
  for (const [x, y] of scene.real) {
    context.beginPath();
    context.arc(at.x(x), at.y(y), 2.6, 0, 7);
    context.stroke();
  }
  context.fillStyle = colour("fake");
  for (const [x, y] of frame.samples) triangle(context, at.x(x), at.y(y));
  frame.pulls.forEach(([dx, dy], i) => {
    const length = grown(Math.hypot(dx, dy), scene);
    const angle = Math.atan2(-dy, dx);
    arrow(context, at.x(frame.samples[i][0]), at.y(frame.samples[i][1]), length * Math.cos(angle), length * Math.sin(angle));
  });
  context.restore();
}

function drawSurface(context, at, scene, surface) {
  const { cells } = scene;
  const image = new OffscreenCanvas(cells, cells);
  const pixels = new ImageData(cells, cells);
  const [real, fake] = [rgb(colour("real")), rgb(colour("fake"))];
  surface.values.forEach((value, i) => {
    const place = 4 * ((cells - 1 - (i % cells)) * cells + Math.floor(i / cells));
    const strength = value < 0 ? 0 : (value - 127.5) / 127.5;
    pixels.data.set([...(strength > 0 ? real : fake), Math.abs(strength) * 130], place);
  });
  image.getContext("2d").putImageData(pixels, 0, 0);
  const [left, right] = [at.x(scene.low[0]), at.x(scene.high[0])];
  const [top, bottom] = [at.y(scene.high[1]), at.y(scene.low[1])];
  context.imageSmoothingEnabled = true;
  context.drawImage(image, left, top, right - left, bottom - top);
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function triangle(context, x, y) {
  context.beginPath();
  context.moveTo(x, y - 3.4);
  context.lineTo(x + 3, y + 2.4);
  context.lineTo(x - 3, y + 2.4);
  context.fill();
}

/** Pixels of a pull: in proportion to its length in the data's units while it is small. */
function grown(pull, scene) {
  const size = scene.high[0] - scene.low[0];
  const scaled = (8 * Math.abs(pull)) / size;
  return Math.sign(pull) * ARROW * Math.tanh(scaled);
}

function arrow(context, x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 1.5) return;
  const [ux, uy] = [dx / length, dy / length];
  context.strokeStyle = colour("text");
  context.fillStyle = colour("text");
  context.lineWidth = 1.2;
  line(context, [[x, y], [x + dx, y + dy]]);
  context.beginPath();
  context.moveTo(x + dx + 2 * ux, y + dy + 2 * uy);
  context.lineTo(x + dx - 4 * ux - 3 * uy, y + dy - 4 * uy + 3 * ux);
  context.lineTo(x + dx - 4 * ux + 3 * uy, y + dy - 4 * uy - 3 * ux);
  context.fill();
}

// ---- the legend ---------------------------------------------------------------------

/** A small sign beside a word of the legend. */
export function drawSign(context, width, height, name) {
  const middle = height / 2;
  context.lineWidth = 2.4;
  if (name === "real-point") {
    context.strokeStyle = colour("real");
    context.lineWidth = 1.4;
    context.beginPath();
    context.arc(width / 2, middle, 3.4, 0, 7);
    context.stroke();
  } else if (name === "fake-point") {
    context.fillStyle = colour("fake");
    triangle(context, width / 2, middle);
  } else if (name === "pull") arrow(context, 3, middle, width - 8, 0);
  else {
    const dashed = name === "fake" || name === "best";
    context.strokeStyle = colour({ best: "text", discriminator: "discriminator" }[name] ?? name);
    context.setLineDash(dashed ? [6, 4] : []);
    line(context, [[1, middle], [width - 1, middle]]);
  }
}
