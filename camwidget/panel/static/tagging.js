/** Tags: which pictures have which, and how one is given. */

import { element, focusedIn } from "./elements.js";

/** @typedef {Record<string, number[]>} Tags */

const LONGEST = 60;

/** The tags with one given to a row, or taken from it. @param {Tags} tags @param {string} tag @param {number} row @returns {Tags} */
export function toggled(tags, tag, row) {
  const rows = tags[tag] ?? [];
  const now = rows.includes(row) ? rows.filter((each) => each !== row) : [...rows, row].sort((a, b) => a - b);
  return { ...tags, [tag]: now };
}

/** What was typed as a tag, or nothing if it is none. @param {string} text */
export function tagOf(text) {
  return text.replace(/[\p{C};]/gu, " ").replace(/\s+/g, " ").trim().slice(0, LONGEST);
}

/** Buttons for all tags, to choose the pictures that have one. */
export class TagFilter {
  /** @param {(tag: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.box = element("div", "camw-tags");
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Show pictures with a tag");
  }

  /** @param {Tags} tags @param {string} chosen */
  list(tags, chosen) {
    const known = Object.entries(tags).filter(([tag, rows]) => rows.length || tag === chosen);
    this.box.hidden = !known.length;
    this.box.replaceChildren(element("span", "camw-label", "Tags"), ...known.map(([tag, rows]) => {
      const button = element("button", "camw-tag", `${tag} ${rows.length}`);
      button.setAttribute("aria-pressed", String(tag === chosen));
      button.addEventListener("click", () => this.choose(tag === chosen ? "" : tag));
      return button;
    }));
  }
}

/** Buttons for the tags of one picture, and a box for one's own words. */
export class Tagging {
  /** @param {(tag: string) => void} toggle */
  constructor(toggle) {
    this.toggle = toggle;
    this.box = element("div", "camw-tags");
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Tags of this picture");
    this.buttons = element("span", "camw-tags");
    this.own = element("input", "camw-own");
    this.own.placeholder = "own words";
    this.own.maxLength = LONGEST;
    this.own.setAttribute("aria-label", "A tag in your own words; Enter gives it");
    this.own.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const tag = tagOf(this.own.value);
      if (event.key !== "Enter" || !tag) return;
      event.preventDefault();
      this.own.value = "";
      this.toggle(tag);
    });
    this.box.append(element("span", "camw-label", "What is it?"), this.buttons, this.own);
  }

  /** @param {string[]} usual @param {Tags} tags @param {number} row */
  list(usual, tags, row) {
    const all = [...new Set([...usual, ...Object.keys(tags)])];
    const focused = [...this.buttons.children].indexOf(/** @type {Element} */ (focusedIn(this.buttons)));
    this.buttons.replaceChildren(...all.map((tag) => {
      const button = element("button", "camw-tag", tag);
      button.setAttribute("aria-pressed", String(Boolean(tags[tag]?.includes(row))));
      button.addEventListener("click", () => this.toggle(tag));
      return button;
    }));
    if (focused >= 0) /** @type {HTMLElement | undefined} */ (this.buttons.children[focused])?.focus();
  }
}
