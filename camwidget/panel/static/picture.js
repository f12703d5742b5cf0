/**
 * The picture with its maps: everything that moves without asking the kernel.
 *
 * The kernel sends the picture once, all maps once (whole numbers with one scale per map) and the colour table once.
 * From then on this module interpolates, colours, blends and labels. It loads nothing, knows no framework, and mounts
 * on any object with the calls of `Model` in types.d.ts, so a page without a kernel can use it too.
 */

import { cellAt, mapInWords, placeAfter } from "./cells.js";
import { ANNOUNCE_AFTER_MS, discard, keepKeysBeside } from "./elements.js";
import { headline, shareOf } from "./facts.js";
import { bytesOf, Maps, nothing, paintedNow } from "./maps.js";
import { follow } from "./model.js";
import { blend, desaturate, spread, tint } from "./paint.js";
import { makePage } from "./picture_parts.js";
import { followTheme } from "./theme.js";

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */
/** @typedef {import("./types.js").Context<import("./types.js").PictureTraits>} Context */
/** @typedef {import("./cells.js").Place} Place */

const OVERLAY_SIDE = 256; // a map is smooth between its cells, so that the browser can enlarge its colours

class PictureView {
  /** @param {Context} context */
  constructor({ model, el }) {
    this.model = model;
    this.el = el;
    this.listening = new AbortController();
    this.page = makePage(model, this.listening.signal);
    el.append(this.page.root);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.page.canvas.getContext("2d"));
    /** @type {Maps<Manifest>} */
    this.maps = new Maps(model, nothing());
    this.colormap = new Uint8Array(257 * 4);
    /** @type {ImageData | null} */
    this.pixels = null;
    /** @type {Place | null} */
    this.probe = null;
    /** @type {Bytes | null} */
    this.loading = null;
    this.gone = false;
    this.timer = 0;
    this.listen();
    this.unfollow = this.follow();
    followTheme(this.page.root, () => {}, this.listening.signal);
    this.loadPicture();
  }

  listen() {
    const { frame } = this.page;
    const { signal } = this.listening;
    frame.addEventListener("pointermove", (event) => this.onPointer(event), { signal });
    frame.addEventListener("pointerdown", (event) => this.onPointer(event), { signal }); // a tap has no move before it
    frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.readAt(null); }, { signal });
    frame.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  follow() {
    const one = () => this.paint();
    const all = () => { this.paint(); this.paintFilm(); };
    const { showMessage, facts, upload, working } = this.page;
    const messages = () => { for (const each of [showMessage, facts.classes.showMessage, upload.showMessage]) each(); };
    messages();
    // maps and manifest come in one message, the picture may come with them: whatever changed, read all of it again
    return follow(this.model, {
      layer_index: one, class_index: all, method_index: all, heatmap_opacity: all, cells: all, only_for: all,
      own_scale: all, manifest: () => this.load(), picture: () => this.loadPicture(),
      message: messages, message_at: messages, busy: working.show, names: () => this.load(), cut: () => upload.show(),
      pictures: () => upload.show(),
    });
  }

  async loadPicture() {
    const asked = (this.loading = this.model.get("picture"));
    const picture = await createImageBitmap(new Blob([bytesOf(asked)]), { colorSpaceConversion: "none" });
    if (this.gone || asked !== this.loading) return; // a newer picture is on its way, or the view was closed
    const { base, canvas, film } = this.page;
    const { width, height } = picture;
    base.width = width;
    base.height = height;
    const ground = /** @type {CanvasRenderingContext2D} */ (base.getContext("2d", { willReadFrequently: true }));
    ground.drawImage(picture, 0, 0);
    const pixels = ground.getImageData(0, 0, width, height);
    const grey = desaturate(pixels.data);
    for (let p = 0; p < width * height; p++) for (let k = 0; k < 3; k++) pixels.data[4 * p + k] = grey[3 * p + k];
    ground.putImageData(pixels, 0, 0);
    const factor = Math.min(1, OVERLAY_SIDE / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * factor));
    canvas.height = Math.max(1, Math.round(height * factor));
    this.pixels = new ImageData(canvas.width, canvas.height);
    base.parentElement?.style.setProperty("--camw-ratio", String(width / height));
    film.load(picture);
    picture.close();
    this.load();
  }

  load() {
    const manifest = this.model.get("manifest");
    // these maps belong to a picture that is still on its way
    if (this.model.get("picture") !== this.loading || !manifest.layers) return;
    this.maps = new Maps(this.model, manifest);
    this.colormap = new Uint8Array(bytesOf(this.model.get("colormap")));
    this.page.facts.list(manifest);
    this.page.look.list(manifest);
    this.page.upload.show();
    this.page.film.list(manifest.layers);
    this.paint();
    this.paintFilm();
  }

  paint() {
    if (!this.pixels || !this.maps.manifest.layers.length) return;
    const { layer } = this.maps.at();
    const { entry, values, look } = this.valuesAt(layer, this.pixels);
    if (values) tint(values, this.colormap, look, this.pixels.data);
    else this.pixels.data.fill(0);
    this.context.putImageData(this.pixels, 0, 0);
    const scale = look.scale;
    this.page.picture.classList.toggle("camw-blocks", Boolean(this.model.get("cells")));
    this.describe(entry, scale);
    this.paintProbe();
    this.page.film.mark(layer);
    this.page.look.show();
    this.page.root.dataset.painted = paintedNow(this.maps);
  }

  paintFilm() {
    if (!this.maps.manifest.layers.length) return;
    this.page.film.paint((layer, ground, out) => {
      const { entry, values, look } = this.valuesAt(layer, ground);
      blend(ground.base, values, this.colormap, look, out);
      return { entry };
    });
  }

  /** The values of a layer's map at every pixel, and what they are coloured with. @param {number} layerIndex @param {{width: number, height: number}} size */
  valuesAt(layerIndex, { width, height }) {
    const { maps, model } = this;
    const { method, target } = maps.at();
    const layer = maps.manifest.layers[layerIndex];
    const entry = maps.manifest.maps[method][target][layerIndex];
    const values = entry.reason ? null : spread(maps.mapOf(entry, layer).map, layer.map_height, layer.map_width, height, width, !model.get("cells"));
    const scale = entry.reason ? 0 : maps.scaleOf(method, layerIndex, target);
    return { entry, values, look: { scale, opacity: model.get("heatmap_opacity"), signed: !model.get("only_for") } };
  }

  /** @param {MapEntry} entry @param {number} scale */
  describe(entry, scale) {
    const { maps, page } = this;
    const { layer, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const signed = !this.model.get("only_for");
    page.heading.replaceChildren(...headline(maps));
    page.heading.title = page.heading.textContent ?? "";
    page.facts.describe(maps, entry, scale, this.colormap);
    const map = entry.reason || mapInWords(maps.mapOf(entry, shown), maps.manifest.methods[method], shown, signed);
    const words = `${page.heading.textContent}. ${map}`;
    page.picture.setAttribute("aria-label", `${maps.manifest.alt} ${words}`);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      page.announcer.textContent = words;
      keepKeysBeside(this.el); // by now they are in the page
    }, ANNOUNCE_AFTER_MS);
  }

  paintProbe() {
    const { maps, probe, page: { marker, facts } } = this;
    const { layer, target, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const entry = shown && maps.manifest.maps[method][target][layer];
    marker.hidden = !probe || !shown || Boolean(entry.reason);
    if (!probe || !shown || entry.reason) {
      facts.tell("One cell", "point at the picture, or tap it, or use the arrow keys on it", false);
      return;
    }
    const { map_height, map_width } = shown;
    const { row, column } = cellAt(probe, shown);
    const value = maps.mapOf(entry, shown).map[row * map_width + column];
    marker.style.top = `${(100 * row) / map_height}%`;
    marker.style.left = `${(100 * column) / map_width}%`;
    marker.style.height = `${100 / map_height}%`;
    marker.style.width = `${100 / map_width}%`;
    const title = `Row ${row + 1} of ${map_height}, column ${column + 1} of ${map_width}`;
    facts.tell(title, shareOf(maps, entry, value, map_height * map_width), true);
  }

  /** @param {Place | null} place */
  readAt(place) {
    this.probe = place;
    this.paintProbe();
  }

  /** @param {PointerEvent} event */
  onPointer(event) {
    const box = this.page.picture.getBoundingClientRect();
    this.readAt({ row: (event.clientY - box.top) / box.height, column: (event.clientX - box.left) / box.width });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const shown = this.maps.manifest.layers[this.maps.at().layer];
    if (event.key === "Escape") this.readAt(null);
    const next = shown && placeAfter(this.probe, event.key, shown);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell
    this.readAt(next);
    this.page.announcer.textContent = this.page.facts.probeWords();
  }

  /** Stop, and let go of everything large: who still holds the view or one of its elements holds no picture. */
  close() {
    this.gone = true;
    clearTimeout(this.timer);
    this.page.working.stop();
    this.unfollow();
    this.listening.abort();
    this.maps = new Maps(this.model, nothing());
    this.pixels = this.loading = this.page.film.ground = null;
    this.page.facts.classes.search.close();
    discard(this.page.root);
  }
}

/** @param {Context} context */
export function render(context) {
  /** @type {PictureView | null} */
  let view = new PictureView(context);
  return () => {
    view?.close();
    view = null; // notebooks hold on to this function
  };
}

export default { render };
