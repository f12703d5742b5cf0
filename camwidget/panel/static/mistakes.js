/** The mistakes of a data set: the matrix, groups, choices and the gallery, all from rows that the kernel sent once. */

import { ANNOUNCE_AFTER_MS, discard, element, keepKeysBeside, letCommandsThrough, makeAnnouncer, makeBusy, makeMessage, makeRoot } from "./elements.js";
import { Gallery } from "./gallery.js";
import { Groups } from "./groups.js";
import { Kernel } from "./kernel.js";
import { Legend } from "./legend.js";
import { bytesOf } from "./maps.js";
import { Matrix } from "./matrix.js";
import { headingOf, shownInWords, ticksOf } from "./mistakes_words.js";
import { ending, follow } from "./model.js";
import { OnePicture } from "./one.js";
import { chosen, scaleOf, sharedScaleOf, Table } from "./rows.js";
import { CHOICES, Segments } from "./segments.js";
import { TagFilter, toggled } from "./tagging.js";
import { followTheme } from "./theme.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("./types.js").MistakesManifest} Manifest */
/** @typedef {import("./types.js").MistakesTraits} Traits */
/** @typedef {import("./types.js").SavedTile} SavedTile */
/** @typedef {import("./types.js").Context<Traits>} Context */
/** @typedef {import("./segments.js").Choice} Choice */

const SCROLL_AFTER_MS = 150; // until the panel of a picture is in the page
const TOLD = {
  free: "",
  busy: "The kernel is busy. Pictures that are not here yet wait",
  gone: "No kernel listens, so pictures that are not here yet do not come; run the cell again",
};

export class MistakesView {
  /** @param {Context} context @param {Map<number, SavedTile>} [saved]  the pictures of a saved page, by row */
  constructor({ model, el }, saved = new Map()) {
    this.model = model;
    this.el = el;
    this.listening = new AbortController();
    this.table = new Table(null);
    /** @type {number[]} */
    this.places = [];
    this.colormap = new Uint8Array(bytesOf(model.get("colormap")));
    this.timer = 0;
    const { signal } = this.listening;
    this.kernel = new Kernel(model, signal, TOLD);
    this.tiles = new Tiles(model, this.kernel, saved, (row) => this.onPicture(row));
    this.root = makeRoot("The mistakes of a data set");
    letCommandsThrough(this.root, signal);
    this.heading = element("p", "camw-heading camw-whole");
    this.message = makeMessage(model);
    this.matrix = new Matrix((cell) => this.set({ cell, group: -1 }), signal);
    this.groups = new Groups((group) => this.set({ group, cell: [], ...(group >= 0 ? { shown: "all" } : {}) }));
    this.choices = Object.fromEntries(/** @type {Choice[]} */ (Object.keys(CHOICES)).map((trait) => [
      trait, new Segments(trait, (value) => this.set({ [trait]: trait === "own_scale" ? Number(value) : value })),
    ]));
    this.legend = new Legend();
    this.what = element("p", "camw-what");
    this.everything = element("button", "camw-link", "show all mistakes");
    this.filter = new TagFilter((tag) => this.set({ tag }));
    this.gallery = new Gallery(this.tiles, (place) => this.open(place), signal);
    this.one = new OnePicture(this.tiles, {
      toggle: (tag) => this.set({ tags: toggled(model.get("tags"), tag, model.get("opened")) }),
      step: (by) => this.step(by), close: () => this.set({ opened: -1 }),
    });
    this.announcer = makeAnnouncer();
    this.working = makeBusy(model, this.kernel, this.one.box);
    this.layOut();
    el.append(this.root);
    this.message.show();
    this.unfollow = this.follow();
    followTheme(this.root, () => {}, signal);
    this.load();
  }

  follow() {
    const [draw, paint] = [() => this.draw(), () => this.draw(false)];
    return follow(this.model, {
      rows: () => this.load(), manifest: () => this.load(), message: this.message.show, message_at: this.message.show, busy: () => this.onBusy(),
      shown: draw, order: draw, cell: draw, group: draw, tag: draw, maps: paint, own_scale: paint,
      tags: () => this.drawTags(), opened: () => this.drawOpen(),
    });
  }

  layOut() {
    this.everything.addEventListener("click", () => this.set({ cell: [], group: -1, tag: "", shown: "wrong" }));
    const top = element("div", "camw-overview");
    top.append(this.matrix.box, this.groups.box);
    const bar = element("div", "camw-filters");
    const scale = element("div", "camw-scale");
    scale.append(this.legend.strip, this.legend.ticks);
    bar.append(...Object.values(this.choices).map((each) => each.box), scale);
    const line = element("div", "camw-what-line");
    line.append(this.what, this.everything, this.filter.box);
    this.root.append(this.heading, this.working.busy, this.message.message, top, bar, line, this.gallery.box, this.one.box, this.announcer);
  }

  /** @param {Partial<Traits>} values */
  set(values) {
    for (const [name, value] of /** @type {[keyof Traits, never][]} */ (Object.entries(values))) this.model.set(name, value);
    this.model.save_changes();
  }

  /** Open a picture, which the kernel explains. @param {number} place */
  open(place) {
    this.set({ opened: this.table.at(place).row });
    this.kernel.ask({ do: "hello" }); // a kernel that is busy or gone is told
  }

  /** Open the picture that comes after the one that is open, or before it. @param {number} by */
  step(by) {
    const number = this.places.indexOf(this.table.placeOf(this.model.get("opened"))) + by;
    if (number >= 0 && number < this.places.length) this.open(this.places[number]);
  }

  manifest() {
    const manifest = this.model.get("manifest");
    return manifest.classes ? manifest : null;
  }

  load() {
    const manifest = this.manifest();
    if (!manifest) return;
    this.table = new Table(this.model.get("rows"));
    this.heading.replaceChildren(...headingOf(manifest, this.table));
    this.matrix.list(this.table, manifest.classes);
    this.groups.list(manifest.groups, this.colormap);
    this.draw();
  }

  /** What of the data is shown now: narrowed by a cell, a group, a tag. @param {Manifest} manifest */
  choose(manifest) {
    const [shown, order, cell, group, tag, tags] = /** @type {const} */ (["shown", "order", "cell", "group", "tag", "tags"]).map((trait) => this.model.get(trait));
    const members = [];
    const one = manifest.groups[/** @type {number} */ (group)];
    if (one) members.push(new Set(one.rows));
    if (tag) members.push(new Set(/** @type {import("./types.js").TagRows} */ (tags)[String(tag)] ?? []));
    return chosen(this.table, { shown: String(shown), cell: /** @type {number[]} */ (cell), members, order: String(order) });
  }

  /** Show pictures: chosen anew and from the first on, or the same in another way. @param {boolean} [anew] */
  draw(anew = true) {
    const manifest = this.manifest();
    if (!manifest) return;
    if (anew) this.places = this.choose(manifest);
    const shared = this.shared();
    if (anew) this.gallery.list(this.table, this.places, this.look(manifest, shared));
    else this.gallery.show(this.look(manifest, shared));
    this.describeAll(manifest, shared);
  }

  /** The scale of all pictures, or null where each has its own. */
  shared() {
    return this.model.get("own_scale") === 1 ? null : sharedScaleOf(this.table, this.places, this.model.get("maps"));
  }

  /** @param {Manifest} manifest @param {number | null} shared @returns {import("./gallery.js").Look} */
  look(manifest, shared) {
    const { model, table } = this;
    const maps = model.get("maps");
    const scale = (/** @type {number} */ place) => shared ?? scaleOf(table, place, maps);
    return { maps, classes: manifest.classes, colormap: this.colormap, scale, open: table.placeOf(model.get("opened")), ratio: manifest.width / manifest.height };
  }

  /** What stands around the gallery. @param {Manifest} manifest @param {number | null} shared */
  describeAll(manifest, shared) {
    const { model } = this;
    this.describe(manifest);
    this.describeScale(model.get("maps"), shared);
    this.matrix.mark(model.get("cell"));
    this.groups.mark(model.get("group"));
    for (const [trait, segments] of Object.entries(this.choices)) segments.mark(String(model.get(/** @type {Choice} */ (trait))), trait === "order" && !manifest.ordered ? ["given"] : []);
    this.drawTags();
    this.drawOpen();
    this.root.dataset.painted = `${this.places.length}/${model.get("order")}/${model.get("maps")}`;
  }

  /** @param {Manifest} manifest */
  describe({ classes }) {
    const [cell, group, tag, shown] = [this.model.get("cell"), this.model.get("group"), this.model.get("tag"), this.model.get("shown")];
    this.what.replaceChildren(...shownInWords(this.places.length, { classes, cell, group, tag, shown }));
    this.everything.hidden = !cell.length && group < 0 && !tag && shown === "wrong";
    this.announce(this.what.textContent ?? "");
  }

  /** @param {string} words */
  announce(words) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.announcer.textContent = words;
      keepKeysBeside(this.el); // by now they are in the page
    }, ANNOUNCE_AFTER_MS);
  }

  /** @param {string} maps @param {number | null} scale */
  describeScale(maps, scale) {
    this.legend.paint(this.colormap, true, ticksOf(maps, scale));
  }

  drawTags() {
    this.filter.list(this.model.get("tags"), this.model.get("tag"));
    this.one.tagging.list(this.manifest()?.usual ?? [], this.model.get("tags"), this.model.get("opened"));
  }

  drawOpen() {
    const place = this.table.placeOf(this.model.get("opened"));
    const manifest = this.manifest();
    this.gallery.mark(place);
    if (!manifest) return;
    const words = this.one.show(manifest, place < 0 ? null : { row: this.table.at(place), path: manifest.paths[place], number: this.places.indexOf(place), count: this.places.length });
    if (place < 0) return;
    this.one.tagging.list(manifest.usual, this.model.get("tags"), this.table.at(place).row);
    this.onPicture(this.table.at(place).row);
    this.announce(words);
  }

  /** A picture has come, or is there already. @param {number} row */
  onPicture(row) {
    this.gallery.repaint(row);
    if (row === this.model.get("opened")) this.one.paint(scaleOf(this.table, this.table.placeOf(row), "both"), this.colormap);
  }

  onBusy() {
    this.working.show();
    if (!this.model.get("busy") && this.model.get("opened") >= 0) window.setTimeout(() => this.one.box.scrollIntoView({ block: "nearest" }), SCROLL_AFTER_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.working.stop();
    this.unfollow();
    this.listening.abort();
    this.gallery.close();
    this.tiles.close();
    this.table = new Table(null);
    discard(this.root);
  }
}

/** @param {Context} context */
export function render(context) {
  return ending(new MistakesView(context));
}

export default { render };
