/** What is done with the maps: one tab for each, and one stop for all of them. */

import { element } from "./elements.js";
import { rowOf, STEPS } from "./keys.js";
import { clamp } from "./maps.js";
import { choose } from "./model.js";

/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** In the order of `modes.py`. */
export const MODES = /** @type {const} */ (["slide", "compare", "hide", "guess"]);
const TITLES = { slide: "Look at one map", compare: "Compare two maps", hide: "Hide a part of the picture", guess: "Guess where it looks, then see" };

/** Whether there is anything to do in a mode: without a kernel no network runs, and nothing is added. @param {typeof MODES[number]} mode @param {Model<PictureTraits>} model */
function isPossible(mode, model) {
  if (model.get("live") || (mode !== "hide" && mode !== "compare")) return true;
  const manifest = model.get("manifest");
  if (mode === "hide" || !manifest.layers) return false;
  return Boolean(manifest.other) || [manifest.layers, manifest.classes, manifest.methods].some((each) => each.length > 1);
}

/** What is done with the maps; a link may ask for what is not possible here. @param {Model<PictureTraits>} model @returns {typeof MODES[number]} */
export function modeOf(model) {
  const mode = MODES[model.get("mode_index")] ?? MODES[0];
  return isPossible(mode, model) ? mode : MODES[0];
}

export class Tabs {
  /** @param {Model<PictureTraits>} model @param {HTMLElement} panel  what they change */
  constructor(model, panel) {
    this.model = model;
    this.box = element("div", "camw-tabs");
    this.box.setAttribute("role", "tablist");
    this.box.setAttribute("aria-label", "What to do with the maps");
    panel.id ||= `camw-panel-${Math.random().toString(36).slice(2)}`;
    panel.setAttribute("role", "tabpanel");
    this.panel = panel;
    this.tabs = MODES.map((mode, i) => {
      const tab = element("button", "camw-tab", mode[0].toUpperCase() + mode.slice(1));
      tab.dataset.words = tab.textContent ?? ""; // keeps the room that bold letters need
      tab.title = TITLES[mode];
      tab.id = `${panel.id}-${mode}`;
      for (const [name, value] of Object.entries({ role: "tab", "aria-controls": panel.id })) tab.setAttribute(name, value);
      tab.addEventListener("click", () => choose(model, "mode_index", i));
      return tab;
    });
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.box.append(...this.tabs);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const row = rowOf("tabs", event);
    if (!row) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would go to another cell
    const open = this.tabs.filter((each) => !each.hidden);
    const to = this.tabs.indexOf(open[clamp(open.indexOf(this.tabs[MODES.indexOf(modeOf(this.model))]) + STEPS[row], open.length)]);
    choose(this.model, "mode_index", to);
    this.tabs[to].focus();
  }

  show() {
    const shown = MODES.indexOf(modeOf(this.model));
    for (const [i, tab] of this.tabs.entries()) {
      tab.setAttribute("aria-selected", String(i === shown));
      tab.tabIndex = i === shown ? 0 : -1;
      tab.hidden = !isPossible(MODES[i], this.model);
    }
    this.panel.setAttribute("aria-labelledby", this.tabs[shown].id);
  }
}
