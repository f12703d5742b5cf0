/** A slider over names: the browser's own, so that touch, pointer and screen readers know it; keys go one step, everywhere alike. */

import { element } from "./elements.js";
import { rowOf, STEPS } from "./keys.js";
import { clamp } from "./maps.js";

/** Steps that a key goes on by: on the slider that lies under the layers, and on the one that stands beside the classes. */
export const SLIDER_STEPS = { layer: { ...STEPS, farBack: -3, farOn: 3 }, class: { ...STEPS, farBack: -5, farOn: 5 } };

export class Slider {
  /** @param {string} label @param {(i: number) => void} moved @param {{standing?: boolean}} [how] */
  constructor(label, moved, { standing = false } = {}) {
    this.input = element("input", standing ? "camw-range camw-standing" : "camw-range");
    this.input.type = "range";
    this.input.min = "0";
    this.input.step = "1";
    this.input.setAttribute("aria-label", label);
    if (standing) this.input.setAttribute("aria-orientation", "vertical");
    /** @type {string[]} */
    this.names = [];
    this.moved = moved;
    const group = standing ? "class" : "layer";
    this.input.addEventListener("input", () => this.go(Number(this.input.value)));
    this.input.addEventListener("keydown", (event) => {
      const row = rowOf(group, event);
      if (!row) return;
      event.preventDefault();
      event.stopPropagation(); // the notebook would go to another cell
      this.go(Number(this.input.value) + SLIDER_STEPS[group][row]);
    });
  }

  /** @param {number} to */
  go(to) {
    const i = clamp(to, this.names.length);
    this.stand(i);
    this.moved(i);
  }

  /** @param {string[]} names  one for each stop */
  list(names) {
    this.names = names;
    this.input.max = String(Math.max(0, names.length - 1));
    this.input.disabled = names.length < 2;
  }

  /** @param {number} i */
  stand(i) {
    this.input.value = String(i);
    this.input.setAttribute("aria-valuetext", this.names[i] ?? "");
  }
}
