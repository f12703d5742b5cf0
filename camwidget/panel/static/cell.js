/** One cell from the inside: its value, its share, the pixels that move it, and the channels that make it up. */

import { element } from "./elements.js";
import { formatNumber } from "./format.js";

/** @typedef {import("./tools.js").Inside} Inside */
/** @typedef {import("./tools.js").NoInside} NoInside */
/** @typedef {import("./tools.js").Seen} Seen */
/** @typedef {import("./tools.js").PixelBox} PixelBox */
/** @typedef {import("./tools.js").ChannelEntry} ChannelEntry */

const GREYS = 257;

/** Whether what the kernel sent is of this very cell. @param {Inside | NoInside} inside @param {Seen} seen @param {{row: number, column: number}} cell @returns {inside is Inside} */
export function isOf(inside, { maps, shown }, { row, column }) {
  if (inside.layer === undefined) return false;
  const { target, method } = maps.at();
  const { methods, classes } = maps.manifest;
  return inside.layer === shown.name && inside.method === methods[method].key && inside.class === classes[target].index
    && inside.cell[0] === row && inside.cell[1] === column;
}

/** What a cell can see, in words. @param {PixelBox | null | undefined} seen @param {PixelBox | null | undefined} most @param {{width: number, height: number}} picture */
export function seenWords(seen, most, { width, height }) {
  if (!seen || !most) return "No pixel of this picture moves it.";
  const size = (/** @type {PixelBox} */ box) => `${box.right - box.left} \u00d7 ${box.bottom - box.top} pixels`;
  const whole = seen.top === 0 && seen.left === 0 && seen.right === width && seen.bottom === height;
  const sees = whole ? "It sees the whole picture" : `It sees ${size(seen)}`;
  return `${sees}; 80 % of what moves it lies in the dashed ${size(most)}.`;
}

/** The share of the logit that one cell has, where the cells add up to it; else empty. @param {Seen} seen @param {number} value */
export function shareWords({ maps, shown, entry }, value) {
  const { target, method } = maps.at();
  const { methods, classes } = maps.manifest;
  const total = entry.contributions;
  if (total === null || total === 0) return "";
  // a map of plain CAM adds up only after the mean over its cells
  const part = methods[method].key === "cam" ? value / (shown.map_height * shown.map_width) : value;
  const percent = ((100 * part) / total).toFixed(1).replace("-", "\u2212");
  const output = classes[target].probability === null ? "output" : "logit";
  return `${part === value ? "" : `gives ${formatNumber(part, true)}, `}${percent} % of the ${formatNumber(total)} that all cells add to the ${output}`;
}

/** "channel 412: 3.10 x 0.0800 = +0.248" without its name. @param {ChannelEntry} channel */
export const productWords = ({ activation, weight, adds }) => `${formatNumber(activation)} \u00d7 ${formatNumber(weight)} = ${formatNumber(adds, true)}`;

/** A table of colours for what is neither for nor against: dark for more, white for less than nothing. */
export function greyTable() {
  const table = new Uint8Array(GREYS * 4);
  for (let step = 0; step < GREYS; step++) {
    table.set(step < 128 ? [255, 255, 255] : [16, 20, 26], 4 * step);
    table[4 * step + 3] = Math.round(255 * Math.min(1, Math.abs(step - 128) / 128));
  }
  return table;
}

/** A channel's map in little, with the cell marked. @param {HTMLCanvasElement} canvas @param {Float32Array} map @param {Seen["shown"]} layer @param {{row: number, column: number}} cell @param {CSSStyleDeclaration} style */
function paintChannel(canvas, map, { map_height, map_width }, { row, column }, style) {
  const zoom = Math.max(1, Math.floor(72 / map_width));
  canvas.width = zoom * map_width;
  canvas.height = zoom * map_height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const most = map.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  context.fillStyle = style.color;
  for (let i = 0; i < map.length; i++) {
    context.globalAlpha = 0.06 + 0.94 * Math.max(0, map[i] / most);
    context.fillRect(zoom * (i % map_width), zoom * Math.floor(i / map_width), zoom, zoom);
  }
  context.globalAlpha = 1;
  context.strokeStyle = style.getPropertyValue("--camw-accent");
  context.lineWidth = 3;
  context.strokeRect(zoom * column, zoom * row, Math.max(zoom, 4), Math.max(zoom, 4));
}

export class CellFacts {
  /** @param {HTMLElement} side @param {{closed: () => void, channel: (i: number) => void}} on */
  constructor(side, on) {
    this.on = on;
    this.title = element("p", "camw-title");
    this.close = element("button", "camw-button", "Back to the classes");
    this.close.addEventListener("click", () => on.closed());
    this.value = element("div", "camw-big");
    this.share = element("p", "camw-cell-share");
    this.sees = element("p", "camw-cell-share");
    this.rows = element("div", "camw-channels");
    const head = element("div", "camw-cell-head");
    head.append(this.title, this.close);
    this.box = element("section", "camw-section camw-cell");
    this.box.append(head, this.value, this.share, this.sees, this.rows);
    side.append(this.box);
    /** @type {unknown} */
    this.listed = null;
  }

  /** @param {Seen} seen @param {{row: number, column: number}} cell @param {number} value  of the cell @param {Inside | null} inside  null where the kernel has not answered @param {string} waiting  why not @param {Float32Array[]} channels @param {number} marked */
  show(seen, { row, column }, value, inside, waiting, channels, marked) {
    const { shown, picture } = seen;
    this.title.textContent = `Row ${row + 1} of ${shown.map_height}, column ${column + 1} of ${shown.map_width}`;
    this.value.textContent = formatNumber(value, true);
    this.share.textContent = shareWords(seen, value);
    this.share.hidden = !this.share.textContent;
    this.sees.textContent = inside && !inside.reason ? seenWords(inside.seen, inside.most, picture) : inside?.reason || waiting;
    if (!inside || inside.reason) this.rows.replaceChildren();
    else if (this.listed !== inside) this.list(seen, { row, column }, inside, channels);
    this.listed = inside;
    for (const [i, each] of this.rows.querySelectorAll("button").entries()) each.setAttribute("aria-pressed", String(i === marked));
  }

  /** @param {Seen} seen @param {{row: number, column: number}} cell @param {Inside} inside @param {Float32Array[]} maps */
  list({ shown }, cell, { channels = [], count = 0, rest = 0 }, maps) {
    const most = Math.max(...channels.map((each) => Math.abs(each.adds))) || 1;
    const style = getComputedStyle(this.box);
    const rows = channels.map((channel, i) => {
      const row = element("button", "camw-channel");
      row.title = `Show the map of channel ${channel.index}`;
      const canvas = element("canvas", "");
      paintChannel(canvas, maps[i], shown, cell, style);
      const track = element("span", "camw-track");
      const fill = element("span", channel.adds < 0 ? "camw-against" : "camw-for");
      fill.style.width = `${(50 * Math.abs(channel.adds)) / most}%`;
      track.append(fill);
      row.append(canvas, element("span", "camw-channel-name", `channel ${channel.index}`), element("span", "camw-number", productWords(channel)), track);
      row.addEventListener("click", () => this.on.channel(i));
      return row;
    });
    const others = element("p", "camw-channels-rest");
    const all = channels.reduce((sum, each) => sum + each.adds, rest);
    others.textContent = `The other ${(count - channels.length).toLocaleString("en")} channels add ${formatNumber(rest, true)}; all together ${formatNumber(all, true)}.`;
    this.rows.replaceChildren(element("p", "camw-title", "The strongest channels: activation \u00d7 weight"), ...rows, ...(count > channels.length ? [others] : []));
  }
}
