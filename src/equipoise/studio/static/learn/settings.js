// The sliders: settings of the recipe, which take effect at once.

import { el, fill, number, t } from "../kit.js";

const GROUPS = ["rates", "loss", "smoothness", "averaging", "networks"];

export class Settings {
  constructor(catalogue, act) {
    Object.assign(this, { catalogue, act });
    this.element = el("div.learn-controls");
    this.inputs = new Map();
  }

  /** Show a recipe's settings. What has the focus keeps it. */
  show({ recipe, note }, controls) {
    const key = JSON.stringify([recipe, controls.map(({ field, stops }) => [field, stops])]);
    if (key !== this.key) {
      this.key = key;
      this.build(recipe, controls);
    }
    for (const { field, value } of controls) this.inputs.get(field).set(value);
    this.note.hidden = !note;
    if (note) this.note.textContent = t("learn.note.anew", { networks: note.anew.map((name) => t(`learn.note.${name}`)).join(", ") });
  }

  build(recipe, controls) {
    this.isOpen = this.element.lastElementChild?.open; // of the networks
    this.inputs.clear();
    const choice = el("select", { id: "learn-recipe", onchange: () => this.act({ do: "recipe", recipe: choice.value }) }, this.catalogue.recipes.map(({ name }) => el("option", { value: name, selected: name === recipe }, t(`learn.recipe.${name}`))));
    const { paper } = this.catalogue.recipes.find(({ name }) => name === recipe);
    const first = el("div.learn-control", {}, el("label", { for: "learn-recipe" }, t("learn.field.recipe")), choice, el("p.small", {}, paper));
    const groups = GROUPS.map((group) => {
      const those = controls.filter((control) => control.group === group);
      if (!those.length) return null;
      const summary = el("summary", {}, t(`learn.group.${group}`));
      return el("details", { open: group !== "networks" || this.isOpen }, summary, those.map((control) => this.control(control)));
    });
    this.note = el("p.small.notice", { hidden: true });
    fill(this.element, first, this.note, groups);
    if (this.focused) this.inputs.get(this.focused)?.input.focus();
  }

  control({ field, stops }) {
    const id = `learn-${field}`;
    const help = el("p.small", { id: `${id}-help` }, t(`learn.help.${field}`));
    const label = el("label", { for: id }, t(`learn.field.${field}`));
    if (typeof stops[0] === "string") {
      const select = el("select", { id, "aria-describedby": help.id, onchange: () => this.act({ do: "set", field, value: select.value }) }, stops.map((stop) => el("option", { value: stop }, this.valueText(field, stop))));
      this.inputs.set(field, { input: select, set: (value) => (select.value = value) });
      return el("div.learn-control", {}, label, select, help);
    }
    const output = el("output", { for: id });
    const show = (at) => {
      const text = this.valueText(field, stops[at]);
      output.textContent = text;
      slider.setAttribute("aria-valuetext", text);
    };
    const slider = el("input", {
      id,
      type: "range",
      min: 0,
      max: stops.length - 1,
      step: 1,
      "aria-describedby": help.id,
      oninput: () => show(Number(slider.value)),
      onchange: async () => {
        this.focused = field;
        await this.act({ do: "set", field, value: stops[Number(slider.value)] });
        this.focused = undefined;
      },
    });
    this.inputs.set(field, {
      input: slider,
      set: (value) => {
        const at = stops.findIndex((stop) => Math.abs(stop - value) <= 1e-9 * Math.max(1, Math.abs(value)));
        if (at < 0 || document.activeElement === slider && slider.matches(":active")) return;
        slider.value = at;
        show(at);
      },
    });
    return el("div.learn-control", {}, label, output, slider, help);
  }

  valueText(field, value) {
    if (field === "recipe") return t(`learn.recipe.${value}`);
    if (field === "players") return t(`learn.players.${value}`);
    if (typeof value === "string") return t(`learn.value.${value}`);
    if (field === "learning_rate_end") return value === 1 ? t("learn.value.constant") : t("learn.value.falls", { n: number(100 * value) });
    if (field === "ema_half_life") return value === 0 ? t("learn.value.off") : t("learn.value.samples", { n: number(value) });
    if (field === "gamma" || field === "penalty") return value === 0 ? t("learn.value.off") : number(value);
    if (field === "discriminator_rate") return `${number(value)} ×`;
    return number(value, 2);
  }
}
