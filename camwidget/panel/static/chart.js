/** The strongest words of a text as bars, those for the class first. */

import { FULL_STEP } from "./contrast.js";
import { element } from "./elements.js";
import { formatNumber } from "./format.js";
import { stepOf } from "./maps.js";

/** @typedef {import("./types.js").StepColours} StepColours */
/** @typedef {import("./types.js").WordEntry} WordEntry */
/** @typedef {{values: Float32Array, scale: number, signed: boolean, colours: StepColours[]}} Look  what words are painted with */

const MOST_BARS = 12;

/**
 * Which words have a bar, from the strongest for the class to the strongest against it.
 * @param {Float32Array} values @param {boolean} signed
 * @returns {{strongest: number[], left: boolean}}  left: whether there are more
 */
export function strongestOf(values, signed) {
  const order = [...values.keys()].filter((i) => (signed ? values[i] !== 0 : values[i] > 0));
  order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
  return { strongest: order.slice(0, MOST_BARS).sort((a, b) => values[b] - values[a]), left: order.length > MOST_BARS };
}

/** @param {WordEntry} word @param {number} i @param {Look} look */
function makeBar(word, i, { values, scale, signed, colours }) {
  const row = element("div", "camw-row");
  row.dataset.word = String(i);
  const name = element("span", "camw-name", word.text);
  name.dir = "auto";
  const track = element("span", signed ? "camw-track" : "camw-track camw-one-sided");
  const fill = element("span", values[i] < 0 ? "camw-against" : "camw-for");
  fill.style.width = `${(signed ? 50 : 100) * Math.min(1, Math.abs(values[i]) / (scale || 1))}%`;
  // a bar's length tells how much, so its colour need not fade
  const step = stepOf(values[i], scale, signed);
  fill.style.backgroundColor = colours[values[i] < 0 ? Math.min(step, 128 - FULL_STEP) : Math.max(step, 128 + FULL_STEP)].back;
  track.append(fill);
  row.append(name, track, element("span", "camw-percent", formatNumber(values[i], true)));
  return row;
}

export class Chart {
  constructor() {
    this.title = element("p", "camw-title");
    this.rows = element("div", "camw-chart");
  }

  /** @param {WordEntry[]} words @param {Look} look */
  paint(words, look) {
    const { strongest, left } = strongestOf(look.values, look.signed);
    this.title.textContent = left ? `The ${MOST_BARS} strongest of ${look.values.length} words` : "The words, sorted";
    this.title.hidden = !strongest.length;
    this.rows.replaceChildren(...strongest.map((i) => makeBar(words[i], i, look)));
  }
}
