// The router: shows the page that the address names, and the bar at the top.

import { LANGUAGES, announce, decoded, el, fill, language, loadWords, t } from "./kit.js";

// Address after "#/" -> module, and the function of it that shows the page.
const PAGES = [
  { pattern: /^$/, name: "home", module: "./train/index.js", show: "home" },
  { pattern: /^train\/(.+)$/, name: "home", module: "./train/index.js", show: "prepare" },
  { pattern: /^run\/(.+)$/, name: "home", module: "./train/index.js", show: "run" },
  { pattern: /^compare\/(.+)$/, name: "home", module: "./train/index.js", show: "compare" },
  { pattern: /^use\/(.+)$/, name: "home", module: "./use/index.js", show: "mount" },
  { pattern: /^learn(?:\/(.+))?$/, name: "learn", module: "./learn/index.js", show: "mount" },
];
const BAR = [
  ["home", "#/"],
  ["learn", "#/learn"],
];

const main = document.getElementById("main");
let leave = () => {};
let visit = 0;

async function show() {
  const address = location.hash.replace(/^#\/?/, "");
  const page = PAGES.find(({ pattern }) => pattern.test(address));
  const current = ++visit;
  leave();
  leave = () => {};
  drawBar(page?.name);
  if (!page) {
    fill(main, el("h1", {}, t("shell.nothing")), el("p", {}, el("a", { href: "#/" }, t("shell.home"))));
    return;
  }
  const module = await import(page.module);
  if (current !== visit) return; // the address has changed meanwhile
  fill(main);
  const [, parameter] = page.pattern.exec(address);
  leave = (await module[page.show](main, page.show === "compare" ? parameter : decoded(parameter))) ?? (() => {});
  if (current !== visit) leave();
  document.title = `${main.querySelector("h1")?.textContent ?? t("shell.title")} – Equipoise`;
  announce(document.title);
}

function drawBar(active) {
  const links = BAR.map(([name, href]) => el("a", { href, "aria-current": name === active && "page" }, t(`shell.${name}`)));
  const bar = document.getElementById("pages");
  bar.setAttribute("aria-label", t("shell.pages"));
  fill(bar, links);
  document.getElementById("skip").textContent = t("shell.skip");
  const other = language === "en" ? "zh" : "en";
  const button = document.getElementById("language");
  button.textContent = LANGUAGES[other];
  button.lang = other;
  button.onclick = async () => {
    localStorage.setItem("language", other);
    await loadWords(other);
    await show();
  };
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", async () => {
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
// What is dropped beside a place for it must not be opened instead of the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
await loadWords();
await show();
