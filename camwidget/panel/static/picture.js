/**
 * The picture with its maps: everything that moves without asking the kernel.
 *
 * The kernel sends the picture once, all maps once (whole numbers with one scale per map) and the colour table once.
 * From then on this module interpolates, colours, blends and labels. It loads nothing, knows no framework, and mounts
 * on any object with the calls of `Model` in types.d.ts, so a page without a kernel can use it too.
 */

import { mapInWords } from "./cells.js";
import { differenceTitle, kindOf } from "./compare.js";
import { ANNOUNCE_AFTER_MS, discard, keepKeysBeside } from "./elements.js";
import { Equation, pairHeadline } from "./equation.js";
import { headline } from "./facts.js";
import { Guess, secretHeadline } from "./guess.js";
import { Hide } from "./hide.js";
import { bytesOf, Maps, nothing, paintedNow } from "./maps.js";
import { Marks } from "./marks.js";
import { ending, follow, together } from "./model.js";
import { blend } from "./paint.js";
import { makePage } from "./picture_parts.js";
import { Pictures } from "./pictures.js";
import { differencePixels, mapPixels, spreadOver } from "./pixels.js";
import { Reader } from "./reader.js";
import { modeOf } from "./tabs.js";
import { followTheme } from "./theme.js";

/** @typedef {import("./types.js").PictureManifest} Manifest */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */
/** @typedef {import("./types.js").Context<import("./types.js").PictureTraits>} Context */
/** @typedef {import("./tools.js").Seen} Seen */

class PictureView {
  /** @param {Context} context */
  constructor({ model, el }) {
    this.model = model;
    this.el = el;
    this.listening = new AbortController();
    this.page = makePage(model, this.listening.signal);
    el.append(this.page.root);
    const { frame, facts, announcer, root, kernel } = this.page;
    const marks = new Marks();
    this.reader = new Reader(model, kernel, { facts, announcer, root, marks }, { moved: () => this.paintTool(), repaint: () => this.paint() });
    frame.append(marks.box, this.reader.marker);
    /** @type {Record<string, import("./tools.js").Tool>} */
    this.tools = { slide: this.reader, hide: new Hide(model, kernel, marks, facts.side), guess: new Guess(model, marks, facts.side) };
    this.pictures = new Pictures(model, this.page.sheet, this.page.film);
    /** @type {Maps<Manifest>} */
    this.maps = new Maps(model, nothing());
    this.colormap = new Uint8Array(257 * 4);
    /** @type {Equation | null} */
    this.equation = null; // made when something is compared for the first time
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
    frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") this.tool?.leave(); }, { signal });
    frame.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  follow() {
    const one = () => this.paint();
    const all = () => { this.paint(); this.paintFilm(); };
    const { showMessage, facts, upload, working } = this.page;
    const messages = () => { for (const each of [showMessage, facts.classes.showMessage, upload.showMessage]) each(); };
    messages();
    // maps and manifest come in one message, the picture may come with them; but some hosts tell of one while the other
    // is still the old one, in any order: whatever changed, read all of it again
    const load = together(this.model, ["manifest", "maps", "names"], () => this.load());
    return follow(this.model, {
      layer_index: one, class_index: all, method_index: all, heatmap_opacity: all, cells: all, only_for: all,
      own_scale: all, manifest: load, maps: load, picture: () => this.loadPicture(),
      other_picture: () => this.loadPicture(),
      mode_index: all, compare_index: all, other_class_index: all, other_method_index: all, other_layer_index: all,
      turned: all, as_swipe: one, swipe: one, guess: () => this.paintTool(), revealed: all,
      place: one, inside: one, inside_maps: one, regions: () => this.paintTool(), fill_index: () => this.paintTool(), hidden: () => this.paintTool(),
      message: messages, message_at: messages, busy: working.show, names: load, cut: () => upload.show(),
      pictures: () => upload.show(),
    });
  }

  async loadPicture() {
    if (await this.pictures.load()) this.load();
  }

  load() {
    const manifest = this.model.get("manifest");
    // these maps belong to a picture that is still on its way
    if (!this.pictures.asked || !manifest.layers) return;
    this.maps = new Maps(this.model, manifest);
    this.colormap = new Uint8Array(bytesOf(this.model.get("colormap")));
    this.page.facts.list(manifest);
    this.page.look.list(manifest);
    this.page.lecture.show();
    this.equation?.list(this.maps);
    this.page.upload.show();
    this.page.film.list(manifest.layers);
    this.paint();
    this.paintFilm();
  }

  paint() {
    const { page, maps, model } = this;
    if (!page.sheet.pixels || !maps.manifest.layers.length) return;
    const { layer } = maps.at();
    const mode = modeOf(model);
    page.root.dataset.mode = mode;
    page.root.toggleAttribute("data-camw-secret", this.secret);
    page.tabs.show();
    if (mode === "compare") this.paintPair();
    else this.paintOne(layer);
    page.film.mark(layer);
    page.look.show();
    page.root.dataset.painted = paintedNow(maps);
  }

  /** @param {number} layer */
  paintOne(layer) {
    const { page, model } = this;
    const { entry, values, look } = mapPixels(this.maps, model, layer, page.sheet.canvas);
    page.sheet.box.classList.toggle("camw-blocks", Boolean(model.get("cells")));
    this.describe(entry, look.scale);
    this.paintTool();
    const large = modeOf(model) === "slide" && page.root.hasAttribute("data-camw-inside") ? this.reader.large() : null;
    if (large) {
      const values = spreadOver(model, large.map, this.maps.manifest.layers[layer], page.sheet.canvas);
      page.sheet.paint(values, large.table, { ...look, scale: large.scale, signed: true });
      page.heading.textContent = large.words;
    } else page.sheet.paint(this.secret ? null : values, this.colormap, look);
  }

  /** Whether somebody is guessing what the map shows. */
  get secret() {
    return modeOf(this.model) === "guess" && !this.model.get("revealed");
  }

  /** What takes the pointer and the keys on the picture. */
  get tool() {
    return this.tools[modeOf(this.model)];
  }

  paintTool() {
    const { maps, page } = this;
    const { layer, target, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    if (!shown) return;
    const entry = maps.manifest.maps[method][target][layer];
    const map = entry.reason ? null : maps.mapOf(entry, shown).map;
    this.tool?.paint({ maps, shown, entry, map, picture: page.sheet.base });
  }

  paintPair() {
    const { page, maps } = this;
    const equation = this.equation ?? new Equation(this.model, page.kernel, page.pair, page.settings);
    if (!this.equation) equation.list(maps);
    this.equation = equation;
    const pair = equation.paint(maps, this.colormap, this.pictures);
    page.heading.replaceChildren(...pairHeadline(maps, pair));
    page.heading.title = page.heading.textContent ?? "";
    const { layer, target, method } = maps.at();
    page.facts.describe(maps, maps.manifest.maps[method][target][layer], 0, this.colormap);
    this.announce(`${differenceTitle(pair)}. ${equation.words()}`);
  }

  paintFilm() {
    const { maps, model, page, colormap } = this;
    if (!maps.manifest.layers.length) return;
    const pixels = modeOf(model) === "compare" && kindOf(maps, model) !== "layer" ? differencePixels : mapPixels;
    page.film.paint((layer, ground, out) => {
      const { entry, values, look } = pixels(maps, model, layer, ground);
      blend(ground.base, this.secret ? null : values, colormap, look, out);
      return { entry };
    });
  }

  /** @param {MapEntry} entry @param {number} scale */
  describe(entry, scale) {
    const { maps, page } = this;
    const { layer, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const signed = !this.model.get("only_for");
    page.heading.replaceChildren(...(this.secret ? secretHeadline(maps) : headline(maps)));
    page.heading.title = page.heading.textContent ?? "";
    page.facts.describe(maps, entry, scale, this.colormap);
    const map = this.secret ? "" : entry.reason || mapInWords(maps.mapOf(entry, shown), maps.manifest.methods[method], shown, signed);
    const words = `${page.heading.textContent}. ${map}`;
    page.sheet.box.setAttribute("aria-label", `${maps.manifest.alt} ${words}`);
    this.announce(words);
  }

  /** Say it, once nothing moves any more. @param {string} words */
  announce(words) {
    const { page } = this;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      page.announcer.textContent = words;
      keepKeysBeside(this.el); // by now they are in the page
    }, ANNOUNCE_AFTER_MS);
  }

  /** @param {PointerEvent} event */
  onPointer(event) {
    const box = this.page.sheet.box.getBoundingClientRect();
    this.tool?.point({ row: (event.clientY - box.top) / box.height, column: (event.clientX - box.left) / box.width }, event);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.tool?.key(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell
  }

  /** Stop, and let go of everything large: who still holds the view or one of its elements holds no picture. */
  close() {
    clearTimeout(this.timer);
    this.page.working.stop();
    this.unfollow();
    this.listening.abort();
    this.maps = new Maps(this.model, nothing());
    this.pictures.close();
    this.page.facts.classes.search.close();
    this.equation?.close();
    this.equation = null;
    discard(this.page.root);
  }
}

/** @param {Context} context */
export function render(context) {
  return ending(new PictureView(context));
}

export default { render };
