/** Play through the layers: one after the other, until the last, or until somebody does anything else. */

import { rowOf } from "./keys.js";
import { choose } from "./model.js";

/** @typedef {import("./types.js").MapTraits} MapTraits */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

export const STEP_MS = 1000;

export class Player {
  /**
   * @param {Model<MapTraits>} model @param {HTMLElement} root  what plays @param {HTMLElement} button  that starts and stops it
   * @param {{changed: () => void, whole: (on: boolean) => void}} on  `whole`: what comes now is one step for who takes it back
   * @param {AbortSignal} signal  ends it
   */
  constructor(model, root, button, on, signal) {
    this.model = model;
    this.root = root;
    this.button = button;
    this.on = on;
    this.timer = 0;
    this.at = 0; // the layer that was shown last
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.still.addEventListener("change", () => { this.stop(); on.changed(); }, { signal });
    for (const type of /** @type {const} */ (["pointerdown", "keydown"])) document.addEventListener(type, (event) => { if (this.playing && !this.isOwn(event)) this.stop(); }, { capture: true, signal });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.stop(); }, { signal });
    signal.addEventListener("abort", () => this.stop());
  }

  get playing() {
    return this.timer !== 0;
  }

  /** Whether it goes on only when it is told to, as people ask of their system whom motion makes ill. */
  get steps() {
    return this.still.matches;
  }

  get count() {
    return this.model.get("manifest").layers?.length ?? 0;
  }

  /** Whether an event is what starts and stops it, and no other input. @param {Event} event */
  isOwn(event) {
    const path = event.composedPath();
    if (!(event instanceof KeyboardEvent)) return path.includes(this.button);
    if (path.includes(this.button) && (event.key === "Enter" || event.key === " ")) return true;
    return path.includes(this.root) && rowOf("anywhere", event) === "play";
  }

  /** Play, or stop; where motion is not wanted, show the next layer. */
  toggle() {
    if (this.playing) return this.stop();
    if (this.count < 2) return;
    if (this.steps) return this.show(this.model.get("layer_index") + 1);
    this.on.whole(true);
    this.show(this.model.get("layer_index") + 1);
    this.wait();
    this.on.changed();
  }

  /** Show a layer; behind the last one comes the first. @param {number} layer */
  show(layer) {
    this.at = layer < this.count ? layer : 0;
    choose(this.model, "layer_index", this.at);
  }

  wait() {
    this.timer = window.setTimeout(() => this.go(), STEP_MS);
  }

  go() {
    // somebody else has moved the slider, or nobody can see it, as in a notebook behind another one
    const left = this.model.get("layer_index") !== this.at || !this.root.checkVisibility();
    if (left || this.at + 1 >= this.count) return this.stop();
    this.show(this.at + 1);
    if (this.at + 1 < this.count) this.wait();
    else this.stop();
  }

  stop() {
    if (!this.playing) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.on.whole(false);
    this.on.changed();
  }
}
