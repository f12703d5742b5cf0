/** A picture of one's own: chosen, dropped or pasted; or one of those that come along; and which part of it is seen. */

import { element, makeMessage } from "./elements.js";
import { keepPlainKey } from "./keys.js";

/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./types.js").Cut} Cut */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

const MOST_BYTES = 6_000_000; // servers drop larger messages
const MOST_PIXELS = 2400; // on the longer side of what is made smaller before it is sent

/** A file's bytes; of a large one, those of a smaller copy, turned as its camera was held. @param {File} file */
async function bytesOfFile(file) {
  if (file.size <= MOST_BYTES) return file.arrayBuffer();
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const factor = Math.min(1, MOST_PIXELS / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * factor);
    canvas.height = Math.round(picture.height * factor);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const made = await new Promise((/** @type {(made: Blob | null) => void} */ done) => canvas.toBlob(done, "image/jpeg", 0.95));
    return made ? made.arrayBuffer() : null;
  } catch {
    return null; // no browser can read it
  }
}

/** @param {Cut} cut */
function cutWords({ width, height, part_width, part_height, bars }) {
  const whole = `Your picture has ${width} \u00d7 ${height} pixels. `;
  return whole + (bars ? "The network sees all of it, between bars." : `The network sees ${part_width} \u00d7 ${part_height} of them.`);
}

export class Upload {
  /** @param {Model<PictureTraits>} model @param {Kernel} kernel @param {HTMLElement} frame  what files are dropped on @param {HTMLElement} root @param {AbortSignal} signal */
  constructor(model, kernel, frame, root, signal) {
    this.model = model;
    this.kernel = kernel;
    this.box = element("div", "camw-upload");
    const { message, show } = makeMessage(model, "picture");
    this.showMessage = show;
    this.message = message;
    this.file = element("input", "");
    Object.assign(this.file, { type: "file", accept: "image/*", hidden: true });
    this.button = element("button", "camw-button", "Your own picture");
    this.button.title = "Choose a file, drop one on the picture, or paste one";
    this.button.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => this.take(this.file.files));
    this.demo = element("select", "");
    this.demo.setAttribute("aria-label", "Pick a picture that comes along");
    this.demo.addEventListener("change", () => {
      if (this.demo.value) this.kernel.ask({ do: "demo", name: this.demo.value, at: "picture" });
      this.demo.value = "";
    });
    this.cut = this.makeCut();
    this.box.append(this.button, this.file, this.demo, this.cut.box, message);
    frame.addEventListener("dragover", (event) => { event.preventDefault(); event.stopPropagation(); frame.classList.add("camw-drop"); }, { signal });
    frame.addEventListener("dragleave", () => frame.classList.remove("camw-drop"), { signal });
    frame.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation(); // the notebook would take it, or the browser leave the page
      frame.classList.remove("camw-drop");
      this.take(event.dataTransfer?.files);
    }, { signal });
    root.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); this.take(event.clipboardData.files); }
    }, { signal });
    kernel.follow(() => {
      for (const each of [this.button, this.demo, this.cut.range, this.cut.bars]) each.disabled = !kernel.free;
    });
  }

  makeCut() {
    const box = element("div", "camw-cut");
    const words = element("span", "");
    const range = element("input", "");
    Object.assign(range, { type: "range", min: "0", max: "1", step: "0.05" });
    range.setAttribute("aria-label", "Which part of the picture the network sees");
    range.addEventListener("keydown", keepPlainKey);
    range.addEventListener("change", () => this.kernel.ask({ do: "crop", position: Number(range.value), at: "picture" }));
    const bars = element("input", "");
    bars.type = "checkbox";
    bars.addEventListener("change", () => this.kernel.ask({ do: "letterbox", on: bars.checked, at: "picture" }));
    const label = element("label", "");
    label.append(bars, "all of it, between bars");
    box.append(words, range, label);
    return { box, words, range, bars };
  }

  /** Say and show what is seen of the picture. */
  show() {
    const names = this.model.get("pictures");
    this.box.hidden = !this.kernel.live;
    this.demo.hidden = !names.length;
    this.demo.replaceChildren(element("option", "", "or one of these \u2026"), ...names.map((name) => element("option", "", name)));
    /** @type {HTMLOptionElement} */ (this.demo.firstChild).value = "";
    const cut = this.model.get("cut");
    this.cut.box.hidden = cut.width === undefined;
    if (cut.width === undefined) return;
    this.cut.words.textContent = cutWords(cut);
    this.cut.range.value = String(cut.position);
    this.cut.range.hidden = cut.bars;
    this.cut.bars.checked = cut.bars;
  }

  /** @param {FileList | null | undefined} files */
  async take(files) {
    const file = files?.[0];
    if (!file || !this.kernel.free) return;
    const bytes = await bytesOfFile(file);
    this.file.value = ""; // so that the same file can be chosen again
    if (bytes) this.kernel.ask({ do: "picture", name: file.name, at: "picture" }, [bytes]);
    else this.say(`The file \u201c${file.name}\u201d cannot be read as a picture, and is too large to be sent. Try a smaller one, or save it as JPEG first.`);
  }

  /** @param {string} words */
  say(words) {
    this.message.textContent = words;
    this.message.hidden = false;
  }
}
