/** What it is against what was said: a table to choose a cell from; of many classes the pairs that are confused most often. */

import { element } from "./elements.js";
import { confusionOf, pairsOf } from "./rows.js";

/** @typedef {import("./rows.js").Table} Table */

export const MOST_CLASSES = 12;
const MOST_PAIRS = 12;
const LYING = 4; // so many columns have room for their names in any width
const LETTERS_ACROSS = 32; // letters that fit across all columns of a narrow table

/** "1 picture", "2 pictures". @param {number} count */
export const pictures = (count) => `${count.toLocaleString("en")} picture${count === 1 ? "" : "s"}`;

export class Matrix {
  /** @param {(cell: number[]) => void} choose @param {AbortSignal} signal */
  constructor(choose, signal) {
    this.box = element("section", "camw-section camw-matrix");
    this.title = element("p", "camw-title");
    this.body = element("div", "");
    this.note = element("p", "camw-note");
    this.box.append(this.title, this.body, this.note);
    this.body.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-cell]")) : null;
      if (button) choose(button.getAttribute("aria-pressed") === "true" ? [] : String(button.dataset.cell).split(" ").map(Number));
    }, { signal });
  }

  /** @param {Table} table @param {string[]} classes */
  list(table, classes) {
    if (classes.length <= MOST_CLASSES) this.listTable(confusionOf(table, classes.length), classes);
    else this.listPairs(pairsOf(table, MOST_PAIRS), classes);
  }

  /** @param {number[][]} counts @param {string[]} classes */
  listTable(counts, classes) {
    this.title.textContent = "What it is, down; what the network said, across";
    this.note.textContent = "Dashed: right. A cell shows its pictures.";
    const most = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, k) => k !== i)));
    const table = element("table", "camw-confusion");
    const head = element("tr", "");
    const longest = Math.max(...classes.map((name) => name.length));
    table.style.setProperty("--camw-letters", String(longest));
    table.classList.toggle("camw-standing-names", classes.length > LYING && longest * classes.length > LETTERS_ACROSS);
    head.append(element("td", "camw-corner"), ...classes.map((name) => heading(name, "col")));
    table.append(head, ...classes.map((name, i) => {
      const line = element("tr", "");
      line.append(heading(name, "row"), ...counts[i].map((count, k) => {
        const cell = element("td", "");
        cell.append(count ? cellButton(count, [i, k], classes, most) : element("span", "camw-zero", "\u00b7"));
        return cell;
      }));
      return line;
    }));
    this.body.replaceChildren(table);
  }

  /** @param {{true: number, said: number, count: number}[]} pairs @param {string[]} classes */
  listPairs(pairs, classes) {
    this.title.textContent = `Of ${classes.length} classes, those confused most often`;
    this.note.textContent = pairs.length ? "A line shows its pictures." : "No class was taken for another.";
    const most = pairs[0]?.count ?? 1;
    this.body.replaceChildren(...pairs.map((pair) => {
      const button = element("button", "camw-pair");
      button.dataset.cell = `${pair.true} ${pair.said}`;
      const bar = element("span", "camw-bar");
      const fill = element("span", "camw-fill");
      fill.style.width = `${(100 * pair.count) / most}%`;
      bar.append(fill);
      const name = element("span", "camw-name", `${classes[pair.true]} \u2192 ${classes[pair.said]}`);
      name.title = `${classes[pair.true]}, called ${classes[pair.said]}`;
      button.append(name, bar, element("span", "camw-percent", String(pair.count)));
      return button;
    }));
  }

  /** Mark the cell that is chosen. @param {number[]} cell */
  mark(cell) {
    for (const button of this.body.querySelectorAll("[data-cell]"))
      button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.cell === cell.join(" ")));
  }
}

/** @param {string} name @param {"row" | "col"} scope */
function heading(name, scope) {
  const made = element("th", "");
  made.append(element("bdi", "camw-heading-name", name));
  made.scope = scope;
  made.title = name;
  return made;
}

/** @param {number} count @param {number[]} cell @param {string[]} classes @param {number} most */
function cellButton(count, [true_, said], classes, most) {
  const button = element("button", true_ === said ? "camw-right" : "camw-wrong", String(count));
  button.dataset.cell = `${true_} ${said}`;
  if (true_ !== said) button.style.setProperty("--camw-share", `${Math.round(8 + (37 * count) / most)}%`);
  button.setAttribute("aria-label", `${pictures(count)} of ${classes[true_]} ${true_ === said ? "rightly " : ""}called ${classes[said]}`);
  return button;
}
