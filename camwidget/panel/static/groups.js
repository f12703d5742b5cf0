/** Groups of pictures whose maps look alike, each with its mean map, its place, and what hiding that place did. */

import { element } from "./elements.js";
import { blend, desaturate, spread } from "./paint.js";
import { viewOf } from "./saved.js";

/** @typedef {import("./types.js").GroupEntry} GroupEntry */

const GROUP_SIDE = 184;
const GROUP_OPACITY = 0.6;

export class Groups {
  /** @param {(group: number) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.box = element("section", "camw-section camw-groups");
    this.list_ = element("div", "");
    this.note = element("p", "camw-note", "Found from the maps alone. A place that many maps share is a suspicion; hiding it is the test. It does not say what is there: look at the pictures.");
    this.box.append(element("p", "camw-title", "Pictures whose maps look alike"), this.list_, this.note);
  }

  /** @param {GroupEntry[]} groups @param {Uint8Array} colormap */
  list(groups, colormap) {
    this.box.hidden = !groups.length;
    this.list_.replaceChildren(...groups.map((group, i) => {
      const button = element("button", "camw-group");
      const canvas = element("canvas", "");
      canvas.setAttribute("aria-hidden", "true");
      const words = element("span", "camw-group-words");
      words.append(element("b", "", group.title), element("span", "camw-group-text", group.text));
      if (group.test) words.append(bars(group.test));
      button.append(canvas, words);
      button.addEventListener("click", () => this.choose(button.getAttribute("aria-pressed") === "true" ? -1 : i));
      paintGroup(canvas, group, colormap).catch(() => canvas.remove());
      return button;
    }));
  }

  /** @param {number} group */
  mark(group) {
    for (const [i, button] of [...this.list_.children].entries()) button.setAttribute("aria-pressed", String(i === group));
  }
}

/** @param {NonNullable<GroupEntry["test"]>} test */
function bars(test) {
  const box = element("span", "camw-bars");
  for (const [name, value] of /** @type {[string, number][]} */ ([["as it is", test.before], ["place hidden", test.hidden], ["as much elsewhere", test.elsewhere]])) {
    const bar = element("span", "camw-bar");
    const fill = element("span", "camw-fill");
    fill.style.width = `${100 * value}%`;
    bar.append(fill);
    box.append(element("span", "", name), bar, element("span", "camw-percent", `${Math.round(100 * value)} %`));
  }
  return box;
}

/** The mean picture, the mean map and its place. @param {HTMLCanvasElement} canvas @param {GroupEntry} group @param {Uint8Array} colormap */
async function paintGroup(canvas, group, colormap) {
  const image = await createImageBitmap(new Blob([viewOf(group.picture)]));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return;
  canvas.width = GROUP_SIDE;
  canvas.height = Math.max(1, Math.round((GROUP_SIDE * image.height) / image.width));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const map = new Float32Array(group.mean.flat());
  const scale = map.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = spread(map, group.mean.length, group.mean[0].length, canvas.height, canvas.width, true);
  blend(desaturate(pixels.data), values, colormap, { scale, opacity: GROUP_OPACITY, signed: true }, pixels.data);
  context.putImageData(pixels, 0, 0);
  const [top, left, bottom, right] = group.place;
  const frame = /** @type {[number, number, number, number]} */ ([left * canvas.width + 3, top * canvas.height + 3, (right - left) * canvas.width - 6, (bottom - top) * canvas.height - 6]);
  for (const [line, colour] of /** @type {[number, string][]} */ ([[5, "#111"], [2.5, "#fff"]])) {
    context.lineWidth = line;
    context.strokeStyle = colour;
    context.strokeRect(...frame);
  }
}
