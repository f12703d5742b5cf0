/** Pictures of tiles: asked for when they come into sight, a few at a time, kept as long as there is room, and painted. */

import { bytesOf } from "./maps.js";
import { viewOf } from "./saved.js";
import { blend, desaturate, spread } from "./paint.js";

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").TileEntry} TileEntry */
/** @typedef {import("./types.js").SavedTile} SavedTile */
/** @typedef {import("./types.js").Model<import("./types.js").MistakesTraits>} Model */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {{image: ImageBitmap | null, maps: Float32Array[], height: number, width: number, problem: string}} Tile */

const MOST_KEPT = 480;
const MOST_ASKED = 24;
const ASK_AFTER_MS = 40;
const NOT_SAVED = { map_height: 0, map_width: 0, problem: "not saved with this page", picture: "", maps: "" };
const TILE_PIXELS = 160;
const TILE_OPACITY = 0.72;

export class Tiles {
  /**
   * @param {Model} model @param {Kernel} kernel  who sends pictures @param {Map<number, SavedTile>} saved  or where they lie, in a saved page
   * @param {(row: number, tile: Tile) => void} arrived
   */
  constructor(model, kernel, saved, arrived) {
    this.model = model;
    this.kernel = kernel;
    this.saved = saved;
    this.arrived = arrived;
    /** @type {Map<number, Tile>} */
    this.kept = new Map();
    /** @type {Set<number>} */
    this.wanted = new Set();
    /** @type {Set<number>} */
    this.asked = new Set();
    this.timer = 0;
    this.gone = false;
    this.listener = (/** @type {{tiles?: TileEntry[]}} */ content, /** @type {Bytes[]} */ buffers) => this.receive(content, buffers);
    model.on("msg:custom", this.listener);
  }

  /** A picture that is here; otherwise it is asked for. @param {number} row */
  get(row) {
    const known = this.kept.get(row);
    if (known) return known;
    if (!this.asked.has(row)) {
      this.wanted.add(row);
      this.timer ||= window.setTimeout(() => this.ask(), ASK_AFTER_MS);
    }
    return null;
  }

  /** What went out of sight before it was asked for is not asked for. @param {number} row */
  forget(row) {
    this.wanted.delete(row);
  }

  ask() {
    this.timer = 0;
    const rows = [...this.wanted];
    this.wanted.clear();
    for (const row of rows) this.asked.add(row);
    if (!this.kernel.live) for (const row of rows) this.find(row);
    else for (let start = 0; start < rows.length; start += MOST_ASKED) this.kernel.ask({ do: "tiles", rows: rows.slice(start, start + MOST_ASKED) });
  }

  /** A picture of a saved page. @param {number} row */
  find(row) {
    const { picture, maps, ...entry } = this.saved.get(row) ?? { ...NOT_SAVED, row };
    this.keep(entry, viewOf(picture), viewOf(maps));
  }

  /** @param {{tiles?: TileEntry[]}} content @param {Bytes[]} buffers */
  receive(content, buffers) {
    for (const [i, entry] of (content.tiles ?? []).entries()) this.keep(entry, buffers[2 * i], buffers[2 * i + 1]);
  }

  /** @param {TileEntry} entry @param {Bytes} picture @param {Bytes} maps */
  async keep(entry, picture, maps) {
    this.asked.delete(entry.row);
    const { map_height: height, map_width: width, problem } = entry;
    const numbers = new Float32Array(bytesOf(maps));
    const cells = height * width;
    const image = problem ? null : await createImageBitmap(new Blob([bytesOf(picture)])).catch(() => null);
    if (this.gone) return;
    const tile = { image, height, width, problem, maps: numbers.length ? [numbers.subarray(0, cells), numbers.subarray(cells)] : [] };
    this.kept.set(entry.row, tile);
    for (const [row, old] of this.kept) {
      if (this.kept.size <= MOST_KEPT) break;
      old.image?.close();
      this.kept.delete(row);
    }
    this.arrived(entry.row, tile);
  }

  close() {
    this.gone = true;
    clearTimeout(this.timer);
    this.model.off("msg:custom", this.listener);
    for (const { image } of this.kept.values()) image?.close();
    this.kept.clear();
  }
}

/** One map of a tile; null for the bare picture. @param {Tile} tile @param {string} kind */
export function mapOf(tile, kind) {
  if (kind === "picture" || !tile.maps.length) return null;
  const [said, true_] = tile.maps;
  return kind === "said" ? said : kind === "true" ? true_ : said.map((value, i) => value - true_[i]);
}

/**
 * @param {HTMLCanvasElement} canvas @param {Tile} tile @param {string} kind @param {number} scale @param {Uint8Array} colormap
 * @param {number} [side]  the longer side, in pixels
 */
export function paintTile(canvas, tile, kind, scale, colormap, side = TILE_PIXELS) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!tile.image || !context) return;
  const { width, height } = tile.image;
  const shorter = side / Math.max(width, height);
  canvas.width = Math.max(1, Math.round(width * shorter));
  canvas.height = Math.max(1, Math.round(height * shorter));
  context.imageSmoothingQuality = "high";
  context.drawImage(tile.image, 0, 0, canvas.width, canvas.height);
  const map = mapOf(tile, kind);
  if (!map) return;
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = spread(map, tile.height, tile.width, canvas.height, canvas.width, true);
  blend(desaturate(pixels.data), values, colormap, { scale, opacity: TILE_OPACITY, signed: true }, pixels.data);
  context.putImageData(pixels, 0, 0);
}
