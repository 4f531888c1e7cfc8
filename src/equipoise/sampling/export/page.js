"use strict";
// Draws the latents, runs the generator by onnxruntime-web, and shows the samples.

const about = JSON.parse(document.getElementById("description").textContent);
const output = about.output;
const inputs = Object.fromEntries(about.inputs.map((input) => [input.name, input]));
const parts = inputs.z.parts;
const chinese = (navigator.language || "").toLowerCase().startsWith("zh");
const WORDS = {
  fresh: ["New samples", "重新生成"],
  all: ["all", "全部"],
  label: ["Label", "类别"],
  variety: ["Variety", "多样性"],
  start: ["Walk", "漫游"],
  stop: ["Stop", "停止"],
  walks: [
    "Between two samples lie others. Choose one below, and walk on from it.",
    "两个样本之间还有无数样本。点选下方任一张，从那里出发漫游。",
  ],
  wait: ["Loading the generator …", "正在加载生成器……"],
  failed: ["This browser cannot run the generator", "此浏览器无法运行该生成器"],
  random: ["random", "随机"],
  licences: ["Licence of ONNX Runtime Web", "ONNX Runtime Web 许可证"],
  blank: ["blank", "空"],
  made: [
    "Everything is computed in this browser. Nothing is sent anywhere.",
    "所有计算都在本浏览器中完成，不会发送任何数据。",
  ],
};
const KINDS = {
  images: ["Images", "图像"], points: ["Numbers", "数值"],
  table: ["Rows of a table", "表格行"], series: ["Series", "序列"],
};
const say = (name) => WORDS[name][Number(chinese)];
const state = { label: null, truncation: 1, codes: {}, drawn: null, chosen: 0, walking: false };
let session = null;
let busy = Promise.resolve();

// ---- the runtime -----------------------------------------------------------------

function bytesOf(id) {
  const text = atob(document.getElementById(id).textContent);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function unpacked(id, type) {
  const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Blob([await new Response(stream).arrayBuffer()], { type });
}

async function load() {
  const script = document.createElement("script");
  script.textContent = await (await unpacked("runtime-script", "text/javascript")).text();
  document.head.append(script);
  const wasm = URL.createObjectURL(await unpacked("runtime-wasm", "application/wasm"));
  ort.env.wasm.numThreads = 1;  // more need headers that a file does not have
  ort.env.wasm.wasmPaths = { "ort-wasm-simd.wasm": wasm };
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(bytesOf("model"), { executionProviders: ["wasm"] });
}

// ---- what is drawn ---------------------------------------------------------------

function normal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
}

function latent() {
  const z = [];
  for (const part of parts) {
    if (part.distribution === "one_hot") {
      const asked = state.codes[part.code];
      const at = asked ?? Math.floor(Math.random() * part.size);
      for (let i = 0; i < part.size; i++) z.push(Number(i === at));
    } else if (part.code !== undefined && state.codes[part.code] !== undefined) {
      z.push(state.codes[part.code]);
    } else {
      const uniform = () => part.low + (part.high - part.low) * Math.random();
      for (let i = 0; i < part.size; i++) z.push(part.distribution === "normal" ? normal() : uniform());
    }
  }
  return z;
}

function drawnLabel() {
  if (state.label !== null) return state.label;
  let left = Math.random() * about.label_counts.reduce((sum, count) => sum + count, 0);
  const at = about.label_counts.findIndex((count) => (left -= count) < 0);
  return at < 0 ? about.label_counts.length - 1 : at;
}

function draw() {
  const width = inputs.cluster ? inputs.cluster.shape[1] ?? 1 : 0;
  return {
    z: latent(),
    label: inputs.label ? drawnLabel() : 0,
    cluster: Array.from({ length: width }, () => 1 - Math.random()),
  };
}

async function run(drawn) {
  const n = drawn.length;
  const feeds = { z: new ort.Tensor("float32", drawn.flatMap((one) => one.z), [n, inputs.z.shape[1]]) };
  if (inputs.label) {
    const labels = BigInt64Array.from(drawn, (one) => BigInt(one.label));
    feeds.label = new ort.Tensor("int64", labels, [n]);
  }
  if (inputs.cluster) {
    const shape = [n, ...inputs.cluster.shape.slice(1)];
    feeds.cluster = new ort.Tensor("float32", drawn.flatMap((one) => one.cluster), shape);
  }
  if (inputs.truncation) feeds.truncation = new ort.Tensor("float32", [state.truncation], []);
  // One run at a time: a session has one memory.
  const result = busy.then(() => session.run(feeds));
  busy = result.catch(() => {});
  const made = (await result)[output.name];
  const numbers = output.dtype === "float16" ? Array.from(made.data, halfFloat) : Array.from(made.data, Number);
  const size = numbers.length / n;
  return Array.from({ length: n }, (_, i) => numbers.slice(i * size, (i + 1) * size));
}

function halfFloat(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

async function runAll(drawn, size) {
  const made = [];
  for (let at = 0; at < drawn.length; at += size) made.push(...await run(drawn.slice(at, at + size)));
  return made;
}

// ---- small parts of the page -----------------------------------------------------

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function svg(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

const cell = (stored) => stored !== null && typeof stored === "object" ? String(Object.values(stored)[0]) : stored;
const short = (x) => Number.isInteger(x) && Math.abs(x) < 1e9 ? String(x) : String(Number(x.toPrecision(4)));
const samples = document.getElementById("samples");

// ---- images ----------------------------------------------------------------------

function imageForm() {
  const shape = output.shape.slice(1);
  if (output.layout === "NHW") return { channels: 1, height: shape[0], width: shape[1], last: false };
  if (output.layout === "NHWC") return { channels: shape[2], height: shape[0], width: shape[1], last: true };
  return { channels: shape[0], height: shape[1], width: shape[2], last: false };
}

function paint(canvas, values) {
  const { channels, height, width, last } = imageForm();
  const [low, high] = output.range;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = height * width;
  const level = (pixel, channel) => {
    const value = values[last ? pixel * channels + channel : channel * pixels + pixel];
    return 255 * (value - low) / (high - low);
  };
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = level(pixel, channels >= 3 ? c : 0);
    image.data[4 * pixel + 3] = output.alpha ? level(pixel, channels - 1) : 255;
  }
  context.putImageData(image, 0, 0);
}

function imageCanvas() {
  const { height, width } = imageForm();
  const canvas = element("canvas", { width, height, className: "image" });
  if (!output.alpha) canvas.classList.add("opaque");
  if (Math.max(height, width) >= 96) canvas.classList.add("smooth");
  return canvas;
}

async function showImages() {
  const { height, width } = imageForm();
  const count = Math.max(6, Math.min(40, Math.floor(2 ** 18 / (height * width))));
  const columns = count - count % 10 || count;
  state.drawn = Array.from({ length: columns }, draw);
  const made = await runAll(state.drawn, Math.max(1, Math.floor(2 ** 15 / (height * width))));
  const grid = element("div", { className: "grid" });
  grid.style.setProperty("--cell", `${Math.max(88, Math.min(width, 240))}px`);
  made.forEach((values, at) => {
    const canvas = imageCanvas();
    paint(canvas, values);
    const name = inputs.label ? `${cell(about.labels[state.drawn[at].label])}` : `${at + 1}`;
    const button = element("button", { type: "button", title: name, onclick: () => choose(at) }, canvas);
    button.setAttribute("aria-label", name);
    grid.append(button);
  });
  samples.replaceChildren(grid);
  choose(0);
}

const hero = { canvas: null, from: null, to: null, at: 0 };

function choose(at) {
  state.chosen = at;
  samples.querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-pressed", i === at));
  hero.from = state.drawn[at];
  hero.to = { ...draw(), label: hero.from.label, cluster: hero.from.cluster };
  hero.at = 0;
  frame();
}

// Along a great circle, on which latents are as long as those that are drawn.
function between(a, b, share) {
  const z = [];
  let at = 0;
  for (const part of parts) {
    const [one, other] = [a.z, b.z].map((of) => of.slice(at, at + part.size));
    at += part.size;
    const length = (of) => Math.hypot(...of) || 1;
    const dot = one.reduce((sum, value, i) => sum + value * other[i], 0) / length(one) / length(other);
    const angle = Math.acos(Math.max(-1, Math.min(1, dot)));
    const straight = part.distribution !== "normal" || part.size < 2 || angle < 1e-3;
    const [first, second] = straight
      ? [1 - share, share]
      : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
    if (part.distribution === "one_hot") z.push(...one);
    else one.forEach((value, i) => z.push(first * value + second * other[i]));
  }
  return { z, label: a.label, cluster: a.cluster };
}

async function frame() {
  if (!hero.canvas || !hero.from) return;
  const [values] = await run([between(hero.from, hero.to, hero.at)]);
  paint(hero.canvas, values);
}

async function walk() {
  while (state.walking) {
    hero.at += 0.03;
    if (hero.at >= 1) {
      hero.from = { ...hero.to };
      hero.to = { ...draw(), label: hero.from.label, cluster: hero.from.cluster };
      hero.at = 0;
    }
    await frame();
    await new Promise((done) => setTimeout(done, 40));
  }
}

function addWalk() {
  const place = document.getElementById("walk");
  hero.canvas = imageCanvas();
  const button = element("button", { type: "button", textContent: say("start") });
  button.onclick = () => {
    state.walking = !state.walking;
    button.textContent = say(state.walking ? "stop" : "start");
    button.setAttribute("aria-pressed", state.walking);
    if (state.walking) walk();
  };
  place.append(hero.canvas, element("div", {}, element("p", { textContent: say("walks") }), button));
  place.hidden = false;
}

// ---- numbers ---------------------------------------------------------------------

const axes = { x: 0, y: 1 };

function columnNames(count) {
  return output.columns ? output.columns.map(String) : Array.from({ length: count }, (_, i) => count > 1 ? `x${i}` : "x");
}

async function showPoints() {
  const rows = (await runAll(Array.from({ length: 4000 }, draw), 1000));
  const count = rows[0].length;
  const names = columnNames(count);
  sizeChart();
  const chart = count === 1
    ? histogram(rows.map((row) => row[0]), names[0])
    : scatter(rows.map((row) => [row[axes.x], row[axes.y]]), names[axes.x], names[axes.y]);
  samples.replaceChildren(...(count > 2 ? [axisControls(names)] : []), chart);
}

function axisControls(names) {
  const made = element("div", { id: "controls" });
  for (const axis of ["x", "y"]) {
    const select = element("select", { onchange: () => { axes[axis] = Number(select.value); refresh(); } });
    names.forEach((name, i) => select.append(element("option", { value: i, textContent: name, selected: i === axes[axis] })));
    made.append(element("label", {}, axis, select));
  }
  return made;
}

function extent(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const high = sorted[sorted.length - 1] ?? 1;
  return low === high ? [low - 1, high + 1] : [low, high];
}

const CHART = { width: 960, height: 460, margin: 44 };

// Text is as large on a small screen as elsewhere.
function sizeChart() {
  CHART.width = Math.max(300, Math.min(960, samples.clientWidth));
  CHART.height = Math.max(300, Math.round(0.48 * CHART.width));
}

function frameOf(x, y, nameX, nameY) {
  const { width, height, margin } = CHART;
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${nameX} ${nameY}` });
  chart.append(
    svg("line", { x1: margin, y1: height - margin, x2: width - 12, y2: height - margin, stroke: "var(--line)" }),
    svg("text", { x: margin, y: height - 22 }, short(x[0])),
    svg("text", { x: width - 12, y: height - 22, "text-anchor": "end" }, short(x[1])),
    svg("text", { x: (width + margin) / 2, y: height - 8, "text-anchor": "middle" }, nameX),
  );
  if (y) {
    chart.append(
      svg("line", { x1: margin, y1: 12, x2: margin, y2: height - margin, stroke: "var(--line)" }),
      svg("text", { x: margin + 6, y: 24 }, `${short(y[1])}  ${nameY}`),
      svg("text", { x: margin + 6, y: height - margin - 6 }, short(y[0])),
    );
  }
  return chart;
}

function histogram(values, name) {
  const { width, height, margin } = CHART;
  const [low, high] = extent(values);
  const bins = new Array(60).fill(0);
  for (const value of values) {
    if (Number.isFinite(value)) bins[Math.min(59, Math.floor(60 * (value - low) / (high - low)))] += 1;
  }
  const chart = frameOf([low, high], null, name, "");
  const top = Math.max(...bins);
  const step = (width - 12 - margin) / 60;
  bins.forEach((count, i) => {
    const tall = (height - margin - 16) * count / top;
    chart.append(svg("rect", { x: margin + i * step + 1, y: height - margin - tall, width: step - 2, height: tall, fill: "var(--accent)" }));
  });
  return chart;
}

function padded([low, high]) {
  return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
}

function widen(ends, length) {
  const middle = (ends[0] + ends[1]) / 2;
  [ends[0], ends[1]] = [middle - length / 2, middle + length / 2];
}

function scatter(points, nameX, nameY) {
  const { width, height, margin } = CHART;
  const x = padded(extent(points.map((point) => point[0])));
  const y = padded(extent(points.map((point) => point[1])));
  const unit = Math.max((x[1] - x[0]) / (width - 12 - margin), (y[1] - y[0]) / (height - margin - 12));
  const ratio = (x[1] - x[0]) / (y[1] - y[0]);
  if (ratio > 0.25 && ratio < 4) {  // a circle is to look like one
    widen(x, unit * (width - 12 - margin));
    widen(y, unit * (height - margin - 12));
  }
  const chart = frameOf(x, y, nameX, nameY);
  let path = "";
  for (const [a, b] of points) {
    const left = margin + (width - 12 - margin) * (a - x[0]) / (x[1] - x[0]);
    const top = height - margin - (height - margin - 12) * (b - y[0]) / (y[1] - y[0]);
    if (Number.isFinite(left + top)) path += `M${left.toFixed(1)} ${top.toFixed(1)}h0`;
  }
  chart.append(svg("path", { d: path, stroke: "var(--accent)", "stroke-width": 3.5, "stroke-linecap": "round", opacity: 0.6 }));
  return chart;
}

// ---- series ----------------------------------------------------------------------

const COLOURS = ["var(--accent)", "#d9642a", "#2f9e63", "#a45bd0", "#b8860b", "#d03f6b"];

async function showSeries() {
  const { steps, shortest, channels } = about.series;
  const first = Number(shortest < steps);
  const rows = await runAll(Array.from({ length: 12 }, draw), 12);
  const length = (row) => first ? Math.max(shortest, Math.min(steps, Math.round(row[0]))) : steps;
  const windows = rows.map((row) => channels.map((_, c) =>
    Array.from({ length: length(row) }, (_, t) => row[first + t * channels.length + c])));
  const ranges = channels.map((_, c) => extent(windows.flatMap((window) => window[c])));
  const made = element("div", { className: "multiples" });
  for (const window of windows) {
    const chart = svg("svg", { viewBox: "0 0 240 120", role: "img", "aria-label": channels.map((c) => c.name).join(", ") });
    window.forEach((values, c) => {
      const [low, high] = ranges[c];
      const at = (value, t) => `${8 + 224 * t / Math.max(steps - 1, 1)},${112 - 104 * (value - low) / (high - low)}`;
      chart.append(svg("polyline", { points: values.map(at).join(" "), fill: "none", stroke: COLOURS[c % COLOURS.length], "stroke-width": 1.8 }));
    });
    made.append(chart);
  }
  const legend = element("p", { className: "legend" }, ...channels.map((channel, c) => {
    const name = element("span", { textContent: String(channel.name) });
    name.style.setProperty("--colour", COLOURS[c % COLOURS.length]);
    return name;
  }));
  samples.replaceChildren(...(channels.length > 1 ? [legend] : []), made);
}

// ---- tables ----------------------------------------------------------------------

const DAY = { M: null, D: 864e5, h: 36e5, m: 6e4, s: 1e3, ms: 1, us: 1e-3, ns: 1e-6 };

function snapped(spread, x) {
  if (spread.low !== null) x = Math.max(x, spread.low);
  if (spread.high !== null) x = Math.min(x, spread.high);
  if (spread.levels.length) {
    return spread.levels.reduce((best, level) => Math.abs(level - x) < Math.abs(best - x) ? level : best);
  }
  return spread.step === null ? x : spread.typical + Math.round((x - spread.typical) / spread.step) * spread.step;
}

function shownNumber(column, x) {
  if (column.decimals === null) return short(x);
  const text = (x + (column.origin || 0)).toFixed(column.decimals);
  const way = column.text;
  if (!way) return text.includes(".") ? String(Number(text)) : text;
  const [whole, rest] = text.split(".");
  const grouped = way.thousands ? whole.replace(/\B(?=(\d{3})+$)/g, way.thousands) : whole;
  return way.prefix + grouped + (rest ? way.mark + rest : "") + way.suffix;
}

function shownDate(clock, x) {
  const count = Math.round(x) + clock.origin;
  if (clock.period) return String(count);
  const date = clock.unit === "M" ? new Date(Date.UTC(1970, count)) : new Date(count * DAY[clock.unit]);
  if (Number.isNaN(date.getTime())) return String(count);
  const text = date.toISOString();
  return clock.unit === "M" || clock.unit === "D" ? text.slice(0, 10) : text.slice(0, 19).replace("T", " ");
}

function statesOf(column) {
  if (column.kind === "constant") return 1;
  if (column.kind === "id") return 1 + Number(column.blank);
  const points = column.spread ? 1 + column.spread.spikes.length : column.categories.length;
  return points + column.markers.length + Number(column.blank);
}

function shownCell(column, number, code, row) {
  if (column.kind === "constant") return cell(column.value);
  if (column.kind === "id") {
    if (code === 1) return null;
    if (!column.serial) return column.code.places.map((place) => place[Math.floor(Math.random() * place.length)]).join("");
    const { prefix, suffix, width, first, step } = column.serial;
    return prefix + String(first + step * row).padStart(width, "0") + suffix;
  }
  const known = [...(column.spread ? column.spread.spikes : column.categories), ...column.markers];
  const at = column.spread ? code - 1 : code;
  if (at >= 0) {
    if (at >= known.length) return null;
    const point = cell(known[at]);
    if (!column.spread || at >= column.spread.spikes.length) return point;
    number = Number(point);
  } else {
    number = snapped(column.spread, number);
  }
  if (column.kind === "date") return shownDate(column.clock, number);
  if (column.kind === "duration") return `${Math.round(number)} ${column.unit_of_time}`;
  return shownNumber(column, number);
}

async function showTable() {
  const drawn = Array.from({ length: 25 }, draw);
  const rows = await runAll(drawn, 25);
  const columns = about.table
    ? about.table.columns.filter((column) => column.kind !== "ignore" && !about.computed.includes(String(column.name)))
    : columnNames(rows[0].length).map((name) => ({ name }));
  const cells = rows.map((row, number) => {
    let at = 0;
    return columns.map((column) => {
      if (!about.table) return short(row[at++]);
      const value = column.spread ? row[at++] : 0;
      const code = statesOf(column) > 1 ? Math.round(row[at++]) : 0;
      return shownCell(column, value, code, number);
    });
  });
  const names = columns.map((column) => String(column.name));
  if (about.label_column && inputs.label) {
    const place = Math.min(about.label_column.place, names.length);
    names.splice(place, 0, String(about.label_column.name));
    cells.forEach((row, i) => row.splice(place, 0, cell(about.labels[drawn[i].label])));
  }
  const isNumber = (value) => value !== "" && Number.isFinite(Number(value));
  const sides = names.map((_, i) => {
    const known = cells.map((row) => row[i]).filter((value) => value !== null);
    return known.length && known.every(isNumber) ? "number" : "";
  });
  const head = element("tr", {}, ...names.map((name, i) => element("th", { scope: "col", textContent: name, className: sides[i] })));
  const body = cells.map((row) => element("tr", {}, ...row.map((value, i) => element("td", {
    textContent: value === null ? say("blank") : String(value),
    className: value === null ? `blank ${sides[i]}` : sides[i],
  }))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  const box = element("div", { className: "rows", tabIndex: 0 }, table);
  samples.replaceChildren(box);
}

// ---- all of it -------------------------------------------------------------------

const SHOW = { images: showImages, points: showPoints, series: showSeries, table: showTable };
let wanted = 0;

async function refresh() {
  const own = ++wanted;
  await busy;
  if (own === wanted) await SHOW[about.kind]();
}

function addControls() {
  const place = document.getElementById("controls");
  place.append(element("button", { type: "button", className: "main", textContent: say("fresh"), onclick: refresh }));
  if (inputs.label && about.labels.length <= 40) place.append(labelButtons());
  if (inputs.label && about.labels.length > 40) place.append(labelSelect());
  if (inputs.truncation) {
    const slider = element("input", { type: "range", min: 0.1, max: 1, step: 0.05, value: 1 });
    slider.oninput = () => { state.truncation = Number(slider.value); if (about.kind === "images") repaint(); else refresh(); };
    place.append(element("label", {}, say("variety"), slider));
  }
  for (const part of parts.filter((part) => part.code !== undefined)) place.append(codeControl(part));
  place.hidden = false;
}

// The same latents, less of them or more.
async function repaint() {
  const own = ++wanted;
  await busy;
  if (own !== wanted) return;
  const { height, width } = imageForm();
  const made = await runAll(state.drawn, Math.max(1, Math.floor(2 ** 15 / (height * width))));
  if (own !== wanted) return;
  samples.querySelectorAll("canvas").forEach((canvas, at) => paint(canvas, made[at]));
  frame();
}

function setLabel(at) {
  state.label = at;
  refresh();
}

function labelButtons() {
  const made = element("fieldset", {}, element("legend", { textContent: say("label") }));
  const add = (text, at) => {
    const button = element("button", { type: "button", textContent: text });
    button.setAttribute("aria-pressed", at === null);
    button.onclick = () => {
      made.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", other === button));
      setLabel(at);
    };
    made.append(button);
  };
  add(say("all"), null);
  about.labels.forEach((label, at) => add(String(cell(label)), at));
  return made;
}

function labelSelect() {
  const select = element("select", {}, element("option", { value: "", textContent: say("all") }));
  about.labels.forEach((label, at) => select.append(element("option", { value: at, textContent: String(cell(label)) })));
  select.onchange = () => setLabel(select.value === "" ? null : Number(select.value));
  return element("label", {}, say("label"), select);
}

function codeControl(part) {
  if (part.distribution !== "one_hot") {
    const slider = element("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0 });
    slider.oninput = () => { state.codes[part.code] = Number(slider.value); setCode(part); };
    return element("label", {}, part.code, slider);
  }
  const select = element("select", {}, element("option", { value: "", textContent: say("random") }));
  for (let i = 0; i < part.size; i++) select.append(element("option", { value: i, textContent: i }));
  select.onchange = () => {
    if (select.value === "") delete state.codes[part.code];
    else state.codes[part.code] = Number(select.value);
    setCode(part);
  };
  return element("label", {}, part.code, select);
}

// Sets a code in what is drawn, so that one sees what it does.
function setCode(part) {
  if (about.kind !== "images" || state.codes[part.code] === undefined) {
    refresh();
    return;
  }
  const at = parts.slice(0, parts.indexOf(part)).reduce((sum, before) => sum + before.size, 0);
  for (const one of state.drawn) {
    for (let i = 0; i < part.size; i++) {
      one.z[at + i] = part.distribution === "one_hot" ? Number(i === state.codes[part.code]) : state.codes[part.code];
    }
  }
  repaint();
}

function describe() {
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  const kind = KINDS[about.kind][Number(chinese)];
  const seen = about.samples_seen.toLocaleString();
  document.getElementById("about").textContent = chinese
    ? `由生成对抗网络（GAN，方法 ${about.recipe}）生成的${kind}，训练时见过 ${seen} 个样本。`
    : `${kind} made by a generative adversarial network (recipe ${about.recipe}) that has seen ${seen} samples.`;
  if (about.verdict) document.getElementById("about").title = about.verdict.sentence;
  document.getElementById("made").textContent = `${say("made")} (${about.library})`;
  document.getElementById("licences").textContent = say("licences");
}

async function start() {
  describe();
  const status = document.getElementById("status");
  status.textContent = say("wait");
  try {
    await load();
    if (about.kind === "images") addWalk();
    addControls();
    await SHOW[about.kind]();
    status.textContent = "";
    document.body.dataset.ready = "yes";
  } catch (error) {
    status.textContent = `${say("failed")}: ${error.message ?? error}`;
  }
}

start();
