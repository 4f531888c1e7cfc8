// What all parts of the page share: elements, requests, live values, words and charts.

// ---- elements ---------------------------------------------------------------------

/**
 * An element. Text is never read as HTML.
 * @param {string} tag  "div", "button.primary", "p.muted"
 * @param {object} attributes  `onclick` and the like are listeners, `dataset` and `style`
 *   objects are copied, true and false set and leave out, the rest are attributes
 * @param {...(Node|string|number|null|undefined|Array)} children
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  made.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "dataset" || key === "style") Object.assign(made[key], value);
    else if (key === "class") made.classList.add(...value.split(" ").filter(Boolean));
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** Change what an element holds, and leave the keyboard's focus where it was: on the same
 *  element, or on the new one of the same name. */
export function keepingFocus(place, change) {
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  const nameOf = (one) => `${one.tagName} ${one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.textContent}`;
  change();
  if (!before || document.activeElement === before) return;
  const all = () => [...place.querySelectorAll("a, button, input, select, summary, [tabindex]")];
  const after = before.isConnected ? before : all().find((one) => nameOf(one) === nameOf(before));
  after?.focus({ preventScroll: true });
}

/** A message in the corner, for some seconds. kind: "", "good", "warn" or "bad". */
export function toast(message, kind = "") {
  const shown = el("p.notice", { class: kind }, message);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), kind === "bad" ? 12000 : 6000);
}

/** Say something to a screen reader. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** A part of an address as it was before it was encoded; undefined stays so. */
export function decoded(text) {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text; // a lone % that somebody typed
  }
}

// ---- requests ---------------------------------------------------------------------

export class RequestFailed extends Error {}

async function answer(response) {
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  if (!response.ok) {
    const told = isJson ? (await response.json()).error : `${response.status} ${response.statusText}`;
    throw new RequestFailed(told);
  }
  return isJson ? response.json() : response;
}

async function send(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, { method, body, headers: { "X-Equipoise": "1", ...headers } });
  } catch {
    throw new RequestFailed(t("kit.unreachable"));
  }
  return answer(response);
}

/** Requests of the studio. They return JSON, or the response where it is something else,
 *  and throw RequestFailed with the one line to show. */
export const api = {
  get: (path) => send("GET", path),
  post: (path, json = {}) => send("POST", path, JSON.stringify(json), { "Content-Type": "application/json" }),
  delete: (path) => send("DELETE", path),
  /** Send a file as it is. progress(fraction) is called meanwhile. */
  put: (path, file, progress = () => {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", path);
      request.setRequestHeader("X-Equipoise", "1");
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = () => reject(new RequestFailed(t("kit.unreachable")));
      request.onload = () => {
        let content = {};
        try {
          content = JSON.parse(request.responseText);
        } catch {
          content = { error: `${request.status} ${request.statusText}` };
        }
        if (request.status < 300) resolve(content);
        else reject(new RequestFailed(content.error));
      };
      request.send(file);
    }),
};

/** Run something that may fail, and show the failure as a message. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    toast(error.message, "bad");
    return undefined;
  }
}

// ---- live values ------------------------------------------------------------------

const followers = new Map(); // channel -> set of callbacks
const latest = new Map();
let socket = null;
let wait = 500; // milliseconds until the next try to connect

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
  socket.onopen = () => {
    wait = 500;
    showLost(false);
    for (const channel of followers.keys()) tell("subscribe", channel);
  };
  socket.onmessage = (event) => {
    const { channel, value } = JSON.parse(event.data);
    latest.set(channel, value);
    for (const callback of followers.get(channel) ?? []) callback(value);
  };
  socket.onclose = () => {
    showLost(true);
    setTimeout(connect, wait);
    wait = Math.min(wait * 1.6, 8000);
  };
}

function tell(verb, channel) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ [verb]: channel }));
}

function showLost(isLost) {
  const notice = document.getElementById("lost");
  notice.hidden = !isLost;
  notice.textContent = isLost ? t("kit.lost") : "";
}

/** Have callback(value) called with a channel's value and every later one.
 *  Returns what ends it. */
export function listen(channel, callback) {
  if (!socket) connect();
  if (followers.has(channel)) {
    if (latest.has(channel)) callback(latest.get(channel));
  } else {
    followers.set(channel, new Set());
    tell("subscribe", channel);
  }
  followers.get(channel).add(callback);
  return () => {
    const those = followers.get(channel);
    those?.delete(callback);
    if (those?.size === 0) {
      followers.delete(channel);
      latest.delete(channel);
      tell("unsubscribe", channel);
    }
  };
}

// ---- words ------------------------------------------------------------------------

export const LANGUAGES = { en: "English", zh: "中文" };
let words = {};
export let language = "en";

/** Load the words of a language. Default: the one chosen before, else the browser's. */
export async function loadWords(wanted = localStorage.getItem("language") ?? navigator.language) {
  language = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
  words = (await import(`./i18n/${language}.js`)).default;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** A text of the page, with {name} replaced by values.name. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether the page has a text of this key. */
export const has = (key) => key in words;

/** A number for people: three digits that count. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString(document.documentElement.lang);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(digits - 1);
  return Number(value.toPrecision(digits)).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 6 });
}

/** Seconds for people: "40 s", "12 min", "1 h 20 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return t("kit.seconds", { n: Math.round(seconds) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("kit.minutes", { n: minutes });
  return t("kit.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** Bytes for people. */
export function bytes(count) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) if (count >= size) return `${number(count / size)} ${unit}`;
  return `${count} B`;
}

// ---- charts -----------------------------------------------------------------------

/** The value of a colour of style.css, such as "real". */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const DASHES = { real: [], fake: [6, 4], discriminator: [], other: [2, 3] };

/**
 * A line chart over x that redraws as data come, fits its place and follows the theme.
 * @param {HTMLElement} place
 * @param {{label: string, series: {label: string, colour: string}[], xLabel?: string,
 *   height?: number, range?: [number|null, number|null], level?: number, logX?: boolean}} options
 *   colour: a name of style.css, which has its own dash; level: a horizontal line
 * @returns {{set(data: number[][]): void, destroy(): void}}  data: x, then each series
 */
export function chart(place, options) {
  const { label, series, xLabel = "", height = 180, range, level } = options;
  const box = el("div.chart", { role: "img", "aria-label": label });
  place.append(box);
  let plot = null;
  let data = [[], ...series.map(() => [])];
  const width = () => Math.max(box.clientWidth, 200);

  function draw() {
    plot?.destroy();
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
    plot = new uPlot(
      {
        width: width(),
        height,
        legend: { show: series.length > 1, live: false },
        cursor: { drag: { x: false, y: false } },
        scales: { x: { time: false }, ...(range ? { y: { range: () => range } } : {}) },
        axes: [{ ...axis, label: xLabel, labelSize: 18, size: 34, values: (_, ticks) => ticks.map(short) }, { ...axis, size: 56, values: (_, ticks) => ticks.map(short) }],
        series: [{}, ...series.map((one) => ({ label: one.label, stroke: colour(one.colour), width: 2, dash: DASHES[one.colour] ?? [], points: { show: false } }))],
        hooks: level === undefined ? {} : { draw: [(u) => drawLevel(u, level)] },
      },
      data,
      box,
    );
  }

  const resized = new ResizeObserver(() => plot?.setSize({ width: width(), height }));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  draw();
  resized.observe(box);
  dark.addEventListener("change", draw);
  return {
    set(values) {
      data = values;
      plot.setData(values);
    },
    destroy() {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot.destroy();
      box.remove();
    },
  };
}

function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}

function drawLevel(plot, level) {
  const y = plot.valToPos(level, "y", true);
  const { left, width, top, height } = plot.bbox;
  if (y < top || y > top + height) return;
  const context = plot.ctx;
  context.save();
  context.strokeStyle = colour("muted");
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.restore();
}

/** Copy a text, and say so. Browsers have no clipboard for pages of other machines
 *  without encryption: there the text is selected, to be copied by hand. */
async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("kit.copied"));
  } catch {
    getSelection().selectAllChildren(place);
    toast(t("kit.selected"));
  }
}

/** Lines of code with a button that copies them. */
export function code(text, title = "") {
  const place = el("pre", { tabindex: 0 }, text);
  return el("div.stack", {}, title && el("p.small.muted", {}, title), place, el("button.quiet", { type: "button", onclick: () => copy(text, place) }, t("kit.copy")));
}
