/** The pictures as the kernel sends them, decoded: the one that is explained, and the one that is compared with it. */

import { bytesOf } from "./maps.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */
/** @typedef {import("./film.js").Film} Film */

/** @param {Bytes} bytes */
const decoded = (bytes) => createImageBitmap(new Blob([bytesOf(bytes)]), { colorSpaceConversion: "none" });

export class Pictures {
  /** @param {Model} model @param {Sheet} sheet @param {Film} film */
  constructor(model, sheet, film) {
    this.model = model;
    this.first = sheet;
    this.film = film;
    this.second = new Sheet(); // what is seen of it is a copy
    this.version = 0; // how many have come
    /** @type {{picture: Bytes, other: Bytes} | null} */
    this.loading = null;
  }

  /** Take what the kernel has sent; false if a newer picture is on its way, or the view was closed meanwhile. */
  async load() {
    const asked = (this.loading = { picture: this.model.get("picture"), other: this.model.get("other_picture") });
    const [picture, second] = await Promise.all([decoded(asked.picture), asked.other.byteLength ? decoded(asked.other) : null]);
    if (asked !== this.loading) return false;
    this.first.load(picture);
    if (second) this.second.load(second);
    this.version += 1;
    this.film.load(picture);
    picture.close();
    second?.close();
    return true;
  }

  /** Whether the model's picture is here or on its way. */
  get asked() {
    return this.model.get("picture") === this.loading?.picture;
  }

  /** Let go of everything large. */
  close() {
    this.loading = this.film.ground = this.first.pixels = this.second.pixels = null;
    this.second.base.width = this.second.canvas.width = 0; // it is not in the page
  }
}
