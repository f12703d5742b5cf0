/** Choices of which one is made, all of them in sight. */

import { element } from "./elements.js";

/** @typedef {"shown" | "order" | "maps" | "own_scale"} Choice */

/** What can be chosen, and what it is called. @type {Record<Choice, [string, [string, string][]]>} */
export const CHOICES = {
  shown: ["Pictures", [["wrong", "mistakes"], ["right", "right"], ["all", "all"]]],
  order: ["First", [["loss", "largest loss"], ["sure", "surest"], ["doubt", "most in doubt"], ["given", "your order"]]],
  maps: ["Maps", [["both", "both"], ["said", "why the answer"], ["true", "why not the truth"], ["difference", "difference"]]],
  own_scale: ["Scale", [["0", "shared"], ["1", "own"]]],
};

/** A row of buttons of which one is pressed. */
export class Segments {
  /** @param {Choice} trait @param {(value: string) => void} choose */
  constructor(trait, choose) {
    const [label, options] = CHOICES[trait];
    this.box = element("div", "camw-segments-box");
    this.row = element("div", "camw-segments");
    this.row.setAttribute("role", "group");
    this.row.setAttribute("aria-label", label);
    this.row.append(...options.map(([value, words]) => {
      const button = element("button", "", words);
      button.dataset.value = value;
      button.addEventListener("click", () => choose(value));
      return button;
    }));
    this.box.append(element("span", "camw-label", label), this.row);
  }

  /** @param {string} value @param {string[]} [left]  values that are not offered */
  mark(value, left = []) {
    for (const button of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.row.children)) {
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
      button.hidden = left.includes(button.dataset.value ?? "");
    }
  }
}
