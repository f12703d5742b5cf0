/** One text with its maps: its words, a chart of the strongest, and the same facts beside it as for a picture. */

import { Chart } from "./chart.js";
import { FULL_STEP } from "./contrast.js";
import { element } from "./elements.js";
import { Facts, shareOf } from "./facts.js";
import { formatNumber } from "./format.js";
import { Maps, nothing, stepOf } from "./maps.js";
import { wordAt, Words } from "./words.js";

/** @typedef {import("./types.js").StepColours} StepColours */
/** @typedef {import("./types.js").TextManifest} TextManifest */
/** @typedef {import("./types.js").Model<import("./types.js").TextTraits>} Model */
/** @typedef {import("./chart.js").Look} Look */
/** @typedef {import("./kernel.js").Kernel} Kernel */

/** @returns {TextManifest} */
const noText = () => ({ ...nothing(), words: [], tail: "", positions: 0, version: 0, change: null, other: null });

/** The line of a sign: above for evidence against. @param {HTMLElement} at @param {string} line @param {boolean} against */
function sign(at, line, against) {
  at.style.setProperty("--camw-sign", line);
  at.classList.toggle("camw-above", against);
}

/** What a word in the page is painted with, as a function of it. @param {Look} look @returns {(span: HTMLElement, i: number) => void} */
function brush({ values, scale, signed, colours }) {
  return (span, i) => {
    const step = stepOf(values[i], scale, signed);
    const { back, letters, line } = colours[step];
    // at once: three assignments would be parsed and noted one by one
    span.style.cssText = `background-color: ${back}; --camw-sign: ${line}${letters && `; color: ${letters}`}`;
    span.classList.toggle("camw-above", step < 128);
  };
}

function makeUnknownLegend() {
  const legend = element("p", "camw-unknown-legend");
  const dotted = element("span", "camw-unknown", "dotted");
  legend.append(dotted, ": not in the vocabulary; to the network all such words are the same one");
  return legend;
}

export class Column {
  /**
   * @param {Model} model @param {number} number  0 for the first text, 1 for the second
   * @param {Kernel} kernel @param {(text: string) => void} announce @param {AbortSignal} signal  ends all listening
   */
  constructor(model, number, kernel, announce, signal) {
    this.model = model;
    this.number = number;
    this.kernel = kernel;
    this.announce = announce;
    this.title = element("p", "camw-title", number ? "The second text" : "The first text");
    this.words = new Words((i) => this.remove(i), signal);
    this.legend = makeUnknownLegend();
    this.notes = element("div", "camw-notes");
    this.chart = new Chart();
    this.facts = new Facts(model, kernel, { cells: "words", thing: "text", leads: !number });
    this.facts.side.append(this.facts.codeBox);
    const reading = element("div", "camw-reading");
    reading.append(this.title, this.words.box, this.legend, this.notes, this.chart.title, this.chart.rows);
    this.box = element("div", number ? "camw-column camw-second" : "camw-column");
    this.box.append(reading, this.facts.side);
    /** @type {Maps<TextManifest>} */
    this.maps = new Maps(model, noText());
    this.probe = -1;
    this.listen(signal);
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    this.box.addEventListener("pointerover", (event) => this.readAt(wordAt(event)), { signal });
    this.box.addEventListener("pointerleave", () => this.readAt(-1), { signal });
    this.words.box.addEventListener("focusout", () => this.readAt(-1), { signal });
    this.words.box.addEventListener("focusin", (event) => {
      const i = wordAt(event);
      if (i < 0) return;
      this.words.goOnFrom(i); // a click focuses too
      this.readAt(i);
      this.announce(this.facts.probeWords());
    }, { signal });
  }

  /** @param {TextManifest} manifest */
  load(manifest) {
    this.maps = new Maps(this.model, manifest);
    this.facts.list(manifest);
    this.words.list(manifest, Boolean(this.model.get("live")));
    this.legend.hidden = manifest.words.every((each) => each.known);
    this.title.hidden = !this.number && !manifest.other;
    this.probe = -1;
  }

  entryNow() {
    const { layer, target, method } = this.maps.at();
    return { entry: this.maps.manifest.maps[method][target][layer], shown: this.maps.manifest.layers[layer] };
  }

  /** The scale of this text alone. */
  scale() {
    const { layer, target, method } = this.maps.at();
    return this.maps.scaleOf(method, layer, target);
  }

  /** @param {number} scale @param {StepColours[]} colours @param {Uint8Array} colormap */
  paint(scale, colours, colormap) {
    const { manifest } = this.maps;
    const { entry, shown } = this.entryNow();
    const signed = !this.model.get("only_for");
    const values = entry.reason ? new Float32Array(this.words.spans.length) : this.maps.mapOf(entry, shown).map;
    const look = { values, scale, signed, colours };
    this.words.colour(brush(look));
    this.facts.describe(this.maps, entry, scale, colormap);
    this.paintTicks(look);
    const { rest, contributions } = entry;
    if (rest && contributions !== null) this.facts.sum.textContent += `; ${formatNumber(rest, true)} of the contributions belong to marks that are no word`;
    this.notes.replaceChildren(...manifest.methods[this.maps.at().method].notes.map((note) => element("p", "", note)));
    this.chart.paint(manifest.words, look);
    this.paintProbe();
  }

  /** The scale shows the lines of the signs, half of the way from zero to full colour. @param {Look} look */
  paintTicks({ signed, colours }) {
    const ticks = /** @type {HTMLElement[]} */ ([...this.facts.legend.ticks.children]);
    for (const tick of ticks) tick.classList.add("camw-tick");
    if (signed) sign(ticks[0], colours[128 - FULL_STEP / 2].line, true);
    sign(ticks[ticks.length - 1], colours[128 + FULL_STEP / 2].line, false);
  }

  /** @param {number} i */
  readAt(i) {
    this.probe = i;
    this.paintProbe();
  }

  paintProbe() {
    const { box, maps, probe, facts } = this;
    for (const each of box.querySelectorAll(".camw-probed")) each.classList.remove("camw-probed");
    if (!maps.manifest.layers.length) return;
    const { entry, shown } = this.entryNow();
    if (probe < 0 || entry.reason) {
      const how = "Point at a word to read its value, or walk with the arrow keys.";
      facts.tell("One word", this.model.get("live") ? `${how} A click or Enter deletes it.` : how, false);
      return;
    }
    for (const each of box.querySelectorAll(`[data-word="${probe}"]`)) each.classList.add("camw-probed");
    const { words, positions } = maps.manifest;
    const word = words[probe];
    const unknown = word.known ? "" : ", not in the vocabulary";
    const share = shareOf(maps, entry, maps.mapOf(entry, shown).map[probe], positions);
    facts.tell(`\u201c${word.text}\u201d, word ${probe + 1} of ${words.length}${unknown}`, share, true);
    this.words.spans[probe].title = share;
  }

  /** @param {number} i */
  remove(i) {
    if (i < 0 || !this.model.get("live")) return;
    // a text that has changed meanwhile has another version, and its words stay
    if (this.kernel.free) this.kernel.ask({ do: "delete", text: this.number, word: i, version: this.maps.manifest.version });
  }

  close() {
    this.words.close();
    this.facts.classes.search.close();
    this.maps = new Maps(this.model, noText());
  }
}
