// The lessons: what is set up, what to do, and whether the goal has been reached. The
// server checks the goal.

import { announce, el, fill, number, t } from "../kit.js";

/** The choice of a lesson, or of none. */
export function lessonChooser({ lessons }) {
  const select = el(
    "select",
    { id: "learn-lesson", onchange: () => (location.hash = select.value ? `#/learn/${select.value}` : "#/learn") },
    el("option", { value: "" }, t("learn.free")),
    lessons.map(({ name }, i) => el("option", { value: name }, `${i + 1}. ${t(`learn.lesson.${name}.title`)}`)),
  );
  const element = el("div.row", {}, el("label", { for: "learn-lesson" }, t("learn.lesson")), select);
  return { element, show: ({ lesson }) => (select.value = lesson?.name ?? "") };
}

export class Lesson {
  constructor({ lessons }, act) {
    Object.assign(this, { lessons, act });
    this.element = el("section.card", { hidden: true, "aria-label": t("learn.lesson") });
  }

  show({ lesson, readings }) {
    this.element.hidden = !lesson;
    if (!lesson) {
      this.name = undefined;
      return;
    }
    if (lesson.name !== this.name) this.build(lesson.name);
    const { goal } = this.lessons.find(({ name }) => name === lesson.name);
    goal.forEach((condition, i) => {
      const holds = lesson.conditions[i];
      const item = this.goal.children[i];
      item.dataset.met = String(holds);
      item.firstChild.textContent = holds ? "✓" : "○";
      const value = readings[condition.reading];
      const now = typeof value === "number" ? t("learn.goal.now", { n: number(Number(value.toFixed(2))) }) : "";
      item.lastChild.textContent = `${t(`learn.lesson.${lesson.name}.goal${i + 1}`)} ${now}`;
    });
    if (lesson.met !== this.met) {
      this.met = lesson.met;
      this.done.hidden = !lesson.met;
      if (lesson.met) announce(`${t("learn.goal.reached")} ${t(`learn.lesson.${lesson.name}.why`)}`);
    }
  }

  build(name) {
    this.name = name;
    this.met = undefined;
    const at = this.lessons.findIndex((lesson) => lesson.name === name);
    const key = `learn.lesson.${name}`;
    const next = this.lessons[at + 1];
    this.goal = el("ul.learn-goal", {}, this.lessons[at].goal.map(() => el("li", {}, el("span", { "aria-hidden": "true" }), el("span"))));
    this.done = el(
      "div.notice.good.learn-met",
      { hidden: true },
      el("p", {}, el("strong", {}, t("learn.goal.reached")), " ", t(`${key}.why`)),
      next ? el("a.button", { href: `#/learn/${next.name}` }, t("learn.next", { title: t(`learn.lesson.${next.name}.title`) })) : el("a.button", { href: "#/learn" }, t("learn.free")),
    );
    fill(
      this.element,
      el("h2", {}, t("learn.lesson.number", { n: at + 1, all: this.lessons.length }), " ", t(`${key}.title`)),
      el("p", {}, t(`${key}.text`)),
      el("p", {}, el("strong", {}, t("learn.lesson.do")), " ", t(`${key}.do`)),
      el("h3", {}, t("learn.goal")),
      this.goal,
      el("details", {}, el("summary", {}, t("learn.hint")), el("p", {}, t(`${key}.hint`))),
      this.done,
      el("p.small.muted", {}, t("learn.lesson.section", { n: this.lessons[at].section })),
    );
  }
}
