/** What Python sends of a data set. The traits are those of `MistakesView` in gallery.py; a test compares them. */

import type { Bytes, NoManifest, Told } from "./types.js";

/** A picture of a data set, and what was said of it; classes by their number. */
export interface PictureRow {
  row: number;
  true: number;
  said: number;
  p_true: number;
  p_said: number;
  margin: number;
  loss: number;
}

/** A group of pictures whose maps look alike. */
export interface GroupEntry {
  rows: number[];
  title: string;
  text: string;
  /** Top, left, bottom and right of the place, as shares of the picture. */
  place: number[];
  mean: number[][];
  /** The mean picture, as a JPEG in base64. */
  picture: string;
  test: { before: number; hidden: number; elsewhere: number } | null;
}

export interface MistakesManifest {
  classes: string[];
  /** What each row is called, by its place. */
  paths: string[];
  groups: GroupEntry[];
  usual: string[];
  wrong: number;
  total: number;
  unread: number;
  stopped: string;
  method: string;
  layer: string;
  /** What a saved page says of maps that it holds with fewer cells; empty if it holds them as they are. */
  coarser: string;
  map_height: number;
  map_width: number;
  /** Of the network's inputs, in pixels. */
  height: number;
  width: number;
  /** Whether the rows come in an order of the learner's own. */
  ordered: boolean;
}

/** Each tag with the rows that have it. */
export type TagRows = Record<string, number[]>;

export interface MistakesTraits extends Told {
  rows: Bytes;
  manifest: MistakesManifest | NoManifest;
  colormap: Bytes;
  shown: string;
  order: string;
  maps: string;
  own_scale: number;
  cell: number[];
  group: number;
  tag: string;
  tags: TagRows;
  opened: number;
}

/** What comes with a picture and its two maps, or why there is none. */
export interface TileEntry {
  row: number;
  map_height: number;
  map_width: number;
  problem: string;
}

/** A tile within a saved page: a JPEG and two maps, in base64. */
export interface SavedTile extends TileEntry {
  picture: string;
  maps: string;
}
