/**
 * A whole panel, drawn by one module: for hosts that draw anywidgets and no stock widgets. The view is drawn by the host;
 * text boxes, buttons, progress and notes by the page's own elements, while their values stay with the stock widgets.
 */

import { element } from "./elements.js";
import { ending, follow } from "./model.js";

/** @typedef {import("./whole_parts.js").WholeTraits} WholeTraits */
/** @typedef {import("./whole_parts.js").Part} Part */
/** @typedef {import("./types.js").WidgetHost} WidgetHost */
/** @typedef {import("./types.js").Model<WholeTraits>} Model */
/**
 * @template Traits
 * @typedef {import("./types.js").Context<Traits>} Context
 */
/** @typedef {{box: HTMLElement, show: (part: Part) => void, close?: () => void}} Drawn */

/** Put these into a box; where they stand already none is moved, since it would lose the focus. @param {HTMLElement} box @param {HTMLElement[]} wanted */
export function place(box, wanted) {
  const same = box.children.length === wanted.length && wanted.every((each, i) => box.children[i] === each);
  if (!same) box.replaceChildren(...wanted);
}

class WholeView {
  /** @param {Context<WholeTraits>} context */
  constructor({ model, el, host }) {
    this.model = model;
    this.host = host;
    this.number = 0;
    /** @type {Map<string, Drawn>} */
    this.drawn = new Map();
    this.root = element("div", "camw-whole");
    el.append(this.root);
    this.unfollow = follow(model, { parts: () => this.show() });
    this.show();
  }

  show() {
    const before = this.drawn;
    this.drawn = new Map();
    place(this.root, this.boxes(this.model.get("parts"), before));
    for (const [key, each] of before) if (!this.drawn.has(key)) each.close?.();
  }

  /** @param {Part[]} parts @param {Map<string, Drawn>} before  what is drawn already @returns {HTMLElement[]} */
  boxes(parts, before) {
    return parts.map((part) => {
      const drawn = before.get(part.key) ?? this.make(part);
      this.drawn.set(part.key, drawn);
      drawn.box.hidden = !part.shown;
      drawn.show(part);
      if (part.kind === "box") place(drawn.box, this.boxes(part.parts, before));
      return drawn.box;
    });
  }

  /** @param {Part} part @returns {Drawn} */
  make(part) {
    const classes = part.classes.join(" ");
    switch (part.kind) {
      case "view": return this.view(part.widget);
      case "text": return this.text(part.key, classes);
      case "button": return this.button(part.key, classes);
      case "progress": return this.progress(classes);
      case "words": {
        const box = element("p", `camw-whole-notes ${classes}`);
        return { box, show: (now) => { if (now.kind === "words") box.textContent = now.value; } };
      }
      default: return { box: element("div", `widget-box ${classes}`), show: () => {} };
    }
  }

  /** @param {string} widget  what the host calls it @returns {Drawn} */
  view(widget) {
    const box = element("div", "");
    const removed = new AbortController();
    if (this.host) this.host.getWidget(widget).then((made) => made.render({ el: box, signal: removed.signal }));
    else box.textContent = "This host shows one view, not a whole panel. Show panel.view instead.";
    return { box, show: () => {}, close: () => removed.abort() };
  }

  /** @param {string} key @param {string} classes @returns {Drawn} */
  text(key, classes) {
    const box = element("label", classes);
    const [words, area] = [element("span", "widget-label"), element("textarea", "")];
    area.rows = 3;
    box.append(words, area);
    let typed = 0;
    area.addEventListener("input", () => {
      typed = this.number += 1;
      this.model.send({ do: "type", key, value: area.value, number: typed });
    });
    const show = (/** @type {Part} */ part) => {
      if (part.kind !== "text") return;
      words.textContent = part.label;
      // what the kernel says of an earlier key would take away what was typed since
      if (part.heard >= typed && area.value !== part.value) area.value = part.value;
    };
    return { box, show };
  }

  /** @param {string} key @param {string} classes @returns {Drawn} */
  button(key, classes) {
    const box = element("button", `camw-button jupyter-button ${classes}`);
    box.addEventListener("click", () => this.model.send({ do: "press", key, number: (this.number += 1) }));
    const show = (/** @type {Part} */ part) => {
      if (part.kind !== "button") return;
      box.textContent = part.label;
      box.title = part.title;
      box.disabled = part.disabled;
    };
    return { box, show };
  }

  /** @param {string} classes @returns {Drawn} */
  progress(classes) {
    const box = element("label", `widget-hprogress ${classes}`);
    const [words, bar] = [element("span", "widget-label"), element("progress", "")];
    box.append(words, bar);
    const show = (/** @type {Part} */ part) => {
      if (part.kind !== "progress") return;
      words.textContent = part.label;
      bar.max = part.max;
      bar.value = part.value;
    };
    return { box, show };
  }

  close() {
    this.unfollow();
    for (const each of this.drawn.values()) each.close?.();
    this.drawn = new Map();
    this.root.remove();
  }
}

/** @param {Context<WholeTraits>} context */
export function render(context) {
  return ending(new WholeView(context));
}

export default { render };
