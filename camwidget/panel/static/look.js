/** How maps are made and drawn: one line of choices, each the browser's own. */

import { element } from "./elements.js";
import { keepPlainKey } from "./keys.js";
import { choose } from "./model.js";

/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./types.js").ChoiceTrait} ChoiceTrait */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** @param {string} label @param {HTMLElement} input */
export function labelled(label, input) {
  const made = element("label", "camw-choice");
  input.setAttribute("aria-label", label); // without the words of the choice, which are its value
  made.append(element("span", "", label), input);
  return made;
}

/** @param {string[]} words */
export const optionsOf = (words) => words.map((word, i) => {
  const option = element("option", "", word);
  option.value = String(i);
  return option;
});

export class Look {
  /** @param {Model<MapTraits>} model @param {Model<PictureTraits> | null} picture  the same, where it has a picture */
  constructor(model, picture) {
    this.model = model;
    this.box = element("div", "camw-look");
    /** @type {Map<ChoiceTrait, HTMLSelectElement>} */
    this.selects = new Map();
    this.method = this.select("Method", "method_index", []);
    if (picture) this.select("Cells", "cells", ["smooth", "cells"]);
    this.select("Evidence", "only_for", ["for and against", "only for"]);
    this.select("Scale", "own_scale", ["shared", "own"]);
    this.heatmap = picture ? this.opacity(picture) : null;
  }

  /** @param {string} label @param {ChoiceTrait} trait @param {string[]} words */
  select(label, trait, words) {
    const input = element("select", "");
    input.append(...optionsOf(words));
    input.addEventListener("change", () => choose(/** @type {Model<PictureTraits>} */ (this.model), trait, Number(input.value)));
    this.selects.set(trait, input);
    this.box.append(labelled(label, input));
    return input;
  }

  /** @param {Model<PictureTraits>} model */
  opacity(model) {
    const input = element("input", "camw-heat");
    Object.assign(input, { type: "range", min: "0", max: "1", step: "0.05" });
    input.addEventListener("input", () => choose(model, "heatmap_opacity", Number(input.value)));
    input.addEventListener("keydown", keepPlainKey); // the notebook would go to another cell
    this.box.append(labelled("Heatmap", input));
    return () => {
      input.value = String(model.get("heatmap_opacity"));
      input.setAttribute("aria-valuetext", `${Math.round(100 * model.get("heatmap_opacity"))} %`);
    };
  }

  /** @param {Manifest} manifest */
  list({ methods }) {
    this.method.replaceChildren(...optionsOf(methods.map((each) => each.label)));
    this.show();
  }

  /** Stand where the traits are. */
  show() {
    for (const [trait, input] of this.selects) input.value = String(/** @type {Model<PictureTraits>} */ (this.model).get(trait) ?? 0);
    this.heatmap?.();
  }
}
