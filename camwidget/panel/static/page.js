/**
 * The page that a panel is saved as: plain inputs in place of the notebook's sliders, and no kernel. It hands the view
 * an object with the calls that it uses.
 */

import { element } from "./elements.js";
import { clamp } from "./maps.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {PageData["state"]} State */
/** @typedef {import("./types.js").Model<State>} Model */
/** @typedef {import("./types.js").Context<State>} Context */
/** @typedef {"layer_index" | "class_index" | "method_index" | "only_for" | "own_scale" | "cells" | "heatmap_opacity"} Choice */

/** @returns {PageData} */
function readData() {
  /** @type {PageData} */
  const data = JSON.parse(place("camw-data").textContent ?? "");
  const bytes = (/** @type {string} */ text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [name, text] of Object.entries(data.binary)) Object.assign(data.state, { [name]: bytes(text) });
  return data;
}

/** @param {string} id */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {State} state @returns {Model} */
function makeModel(state) {
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map();
  const of = (/** @type {string} */ event) => listeners.get(event) ?? [];
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const each of of(`change:${name}`)) each();
    },
    on: (event, added) => listeners.set(event, [...of(event), added]),
    off: (event, gone) => listeners.set(event, of(event).filter((each) => each !== gone)),
    save_changes() {},
    send() {},
  };
}

class Controls {
  /** @param {Model} model @param {HTMLElement} box */
  constructor(model, box) {
    this.model = model;
    this.box = box;
  }

  /** @param {string} label @param {HTMLElement} input @param {HTMLElement[]} more */
  add(label, input, ...more) {
    const made = element("label", "camw-control");
    input.setAttribute("aria-label", label); // without the words beside it, which are its value
    made.append(element("span", "", label), input, ...more);
    this.box.append(made);
  }

  /** Let an element follow a trait. @param {Choice} trait @param {() => void} show */
  follow(trait, show) {
    this.model.on(`change:${trait}`, show);
    show();
  }

  /** @param {string} label @param {Choice} trait @param {{max: number, step: number}} range @param {(value: number) => string} words */
  slider(label, trait, { max, step }, words) {
    const input = element("input", "");
    input.type = "range";
    [input.min, input.max, input.step] = [0, max, step].map(String);
    const output = element("output", "");
    input.addEventListener("input", () => this.model.set(trait, Number(input.value)));
    this.follow(trait, () => {
      const value = this.model.get(trait);
      input.value = String(value);
      output.textContent = words(value);
      input.setAttribute("aria-valuetext", words(value));
    });
    this.add(label, input, output);
  }

  /** A slider over names. @param {string} label @param {Choice} trait @param {string[]} names */
  names(label, trait, names) {
    this.slider(label, trait, { max: names.length - 1, step: 1 }, (value) => names[clamp(value, names.length)]);
  }

  /** @param {string} label @param {Choice} trait @param {string[]} words */
  select(label, trait, words) {
    const input = element("select", "");
    input.append(...words.map((word, i) => {
      const option = element("option", "", word);
      option.value = String(i);
      return option;
    }));
    input.addEventListener("change", () => this.model.set(trait, Number(input.value)));
    this.follow(trait, () => { input.value = String(this.model.get(trait)); });
    this.add(label, input);
  }
}

/** @param {(context: Context) => unknown} render  of the view that the page shows */
export function openPage(render) {
  const { state, labels } = readData();
  const model = makeModel(state);
  render({ model, el: place("camw-view") });
  const controls = new Controls(model, place("camw-controls"));
  controls.names("Layer", "layer_index", labels.layers);
  controls.names("Class", "class_index", labels.classes);
  controls.select("Method", "method_index", labels.methods);
  if ("cells" in state) controls.select("Cells", "cells", ["smooth", "cells"]);
  controls.select("Evidence", "only_for", ["for and against", "only for"]);
  controls.select("Scale", "own_scale", ["shared", "own"]);
  if ("heatmap_opacity" in state) controls.slider("Heatmap", "heatmap_opacity", { max: 1, step: 0.05 }, (value) => `${Math.round(100 * value)} %`);
}
