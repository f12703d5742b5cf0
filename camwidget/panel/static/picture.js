/**
 * The picture with its maps: everything that moves without asking the kernel.
 *
 * The kernel sends the picture once, all maps once (whole numbers with one scale per map) and the colour table once.
 * From then on this module interpolates, colours, blends and labels. It loads nothing, knows no framework, and mounts
 * on any object with the calls of `Model` in types.d.ts, so a page without a kernel can use it too.
 */

import { cellAt, mapInWords, placeAfter } from "./cells.js";
import {
  ANNOUNCE_AFTER_MS, discard, element, makeAnnouncer, makeBusy, makeMessage, makeRoot, nameControls,
} from "./elements.js";
import { Facts, headline, shareOf } from "./facts.js";
import { Film } from "./film.js";
import { bytesOf, Maps, nothing, paintedNow } from "./maps.js";
import { follow } from "./model.js";
import { blend, desaturate, spread } from "./paint.js";

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */
/** @typedef {import("./types.js").Context<import("./types.js").PictureTraits>} Context */
/** @typedef {import("./film.js").Ground} Ground */
/** @typedef {import("./cells.js").Place} Place */

/** The elements, in the order of the page. @param {Model} model */
function makePage(model) {
  const root = makeRoot("Heatmap of what the network looks at");
  const heading = element("p", "camw-heading");
  const { message, show: showMessage } = makeMessage(model);
  const top = element("div", "camw-top");
  const frame = element("div", "camw-frame");
  const canvas = element("canvas", "camw-canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const marker = element("div", "camw-marker");
  marker.hidden = true;
  frame.append(canvas, marker);
  const facts = new Facts(model, { cells: "cells", thing: "image" });
  top.append(frame, facts.side);
  const film = new Film(model);
  const announcer = makeAnnouncer();
  const working = makeBusy(model, top, film.row);
  root.append(heading, working.busy, message, top, film.row, announcer);
  return { root, heading, showMessage, canvas, marker, facts, film, announcer, working };
}

class PictureView {
  /** @param {Context} context */
  constructor({ model, el }) {
    this.model = model;
    this.el = el;
    this.page = makePage(model);
    el.append(this.page.root);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.page.canvas.getContext("2d", { willReadFrequently: true }));
    /** @type {Maps<Manifest>} */
    this.maps = new Maps(model, nothing());
    this.colormap = new Uint8Array(257 * 4);
    /** @type {Ground | null} */
    this.ground = null;
    /** @type {ImageData | null} */
    this.pixels = null;
    /** @type {Place | null} */
    this.probe = null;
    /** @type {Bytes | null} */
    this.loading = null;
    this.gone = false;
    this.timer = 0;
    this.listening = new AbortController();
    this.listen();
    this.unfollow = this.follow();
    this.loadPicture();
  }

  listen() {
    const { canvas } = this.page;
    const { signal } = this.listening;
    canvas.addEventListener("pointermove", (event) => this.onPointer(event), { signal });
    canvas.addEventListener("pointerleave", () => this.readAt(null), { signal });
    canvas.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  follow() {
    const one = () => this.paint();
    const all = () => { this.paint(); this.paintFilm(); };
    // maps and manifest come in one message, the picture may come with them: whatever changed, read all of it again
    return follow(this.model, {
      layer_index: one, class_index: all, method_index: all, heatmap_opacity: all, cells: all, only_for: all,
      own_scale: all, manifest: () => this.load(), picture: () => this.loadPicture(),
      message: this.page.showMessage, busy: this.page.working.show,
    });
  }

  async loadPicture() {
    const asked = (this.loading = this.model.get("picture"));
    const picture = await createImageBitmap(new Blob([bytesOf(asked)]), { colorSpaceConversion: "none" });
    if (this.gone || asked !== this.loading) return; // a newer picture is on its way, or the view was closed
    const { canvas, film } = this.page;
    const { width, height } = picture;
    canvas.width = width;
    canvas.height = height;
    this.context.drawImage(picture, 0, 0);
    this.ground = { width, height, base: desaturate(this.context.getImageData(0, 0, width, height).data) };
    this.pixels = new ImageData(width, height);
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
    this.page.film.list(manifest.layers);
    this.paint();
    this.paintFilm();
  }

  paint() {
    if (!this.ground || !this.pixels || !this.maps.manifest.layers.length) return;
    const { layer } = this.maps.at();
    const { entry, scale } = this.paintInto(layer, this.ground, this.pixels.data);
    this.context.putImageData(this.pixels, 0, 0);
    this.describe(entry, scale);
    this.paintProbe();
    this.page.film.mark(layer);
    this.page.root.dataset.painted = paintedNow(this.maps);
  }

  paintFilm() {
    if (!this.ground || !this.maps.manifest.layers.length) return;
    this.page.film.paint((layer, ground, out) => this.paintInto(layer, ground, out));
  }

  /** @param {number} layerIndex @param {Ground} ground @param {Uint8ClampedArray} out */
  paintInto(layerIndex, { width, height, base }, out) {
    const { maps, model } = this;
    const { method, target } = maps.at();
    const layer = maps.manifest.layers[layerIndex];
    const entry = maps.manifest.maps[method][target][layerIndex];
    const values = entry.reason ? null : spread(maps.mapOf(entry, layer).map, layer.map_height, layer.map_width, height, width, !model.get("cells"));
    const scale = entry.reason ? 0 : maps.scaleOf(method, layerIndex, target);
    blend(base, values, this.colormap, { scale, opacity: model.get("heatmap_opacity"), signed: !model.get("only_for") }, out);
    return { entry, scale };
  }

  /** @param {MapEntry} entry @param {number} scale */
  describe(entry, scale) {
    const { maps, page } = this;
    const { layer, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const signed = !this.model.get("only_for");
    page.heading.replaceChildren(...headline(maps));
    page.facts.describe(maps, entry, scale, this.colormap);
    const map = entry.reason || mapInWords(maps.mapOf(entry, shown), maps.manifest.methods[method], shown, signed);
    const words = `${page.heading.textContent}. ${map}`;
    page.canvas.setAttribute("aria-label", `${maps.manifest.alt} ${words} Arrow keys read single cells.`);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      page.announcer.textContent = words;
      nameControls(this.el); // by now the slider's own text has followed
    }, ANNOUNCE_AFTER_MS);
  }

  paintProbe() {
    const { maps, probe, page: { marker, facts } } = this;
    const { layer, target, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const entry = shown && maps.manifest.maps[method][target][layer];
    marker.hidden = !probe || !shown || Boolean(entry.reason);
    if (!probe || !shown || entry.reason) {
      facts.tell("Under the pointer", "point at the picture, or focus it and use the arrow keys", false);
      return;
    }
    const { map_height, map_width } = shown;
    const { row, column } = cellAt(probe, shown);
    const value = maps.mapOf(entry, shown).map[row * map_width + column];
    marker.style.top = `${(100 * row) / map_height}%`;
    marker.style.left = `${(100 * column) / map_width}%`;
    marker.style.height = `${100 / map_height}%`;
    marker.style.width = `${100 / map_width}%`;
    const title = `Under the pointer, row ${row + 1} of ${map_height}, column ${column + 1} of ${map_width}`;
    facts.tell(title, shareOf(maps, entry, value, map_height * map_width), true);
  }

  /** @param {Place | null} place */
  readAt(place) {
    this.probe = place;
    this.paintProbe();
  }

  /** @param {PointerEvent} event */
  onPointer(event) {
    const box = this.page.canvas.getBoundingClientRect();
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
    this.ground = this.pixels = this.loading = this.page.film.ground = null;
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
