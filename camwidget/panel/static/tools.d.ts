/** What the tabs do to a picture, and what the kernel answers: hidden parts, and a cell that is looked into. Types only. */

import type { LayerEntry, MapEntry, PictureManifest } from "./types.js";

/** A part of the picture: top, left, bottom, right, from 0 to 1. */
export type Region = [number, number, number, number];

/** What the network says without some parts, by the index of the class; the others are means over places elsewhere. */
export interface HiddenEntry {
  regions: Region[];
  way: number;
  classes: Record<string, { logit: number; value: number; other_logit: number | null; other_value: number | null }>;
  places: number;
  example: Region[];
}

export interface NoHidden {
  regions?: undefined;
}

/** A part of the picture; bottom and right are the first pixels outside. */
export interface PixelBox {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export interface ChannelEntry {
  index: number;
  activation: number;
  weight: number;
  adds: number;
}

/** What is in one cell, of one map; the rest is missing where there is a reason. */
export interface Inside {
  layer: string;
  method: string;
  class: number;
  cell: [number, number];
  reason: string;
  seen?: PixelBox | null;
  most?: PixelBox | null;
  channels?: ChannelEntry[];
  count?: number;
  rest?: number;
}

export interface NoInside {
  layer?: undefined;
  channels?: undefined;
}

/** The map that is shown, to whatever is done with it. */
export interface Seen {
  maps: import("./maps.js").Maps<PictureManifest>;
  shown: LayerEntry;
  entry: MapEntry;
  /** Null where there is none. */
  map: Float32Array | null;
  /** Its size in pixels. */
  picture: { width: number; height: number };
}

/** What takes the pointer and the keys on a picture, and draws over it. */
export interface Tool {
  point(place: import("./cells.js").Place, event: PointerEvent): void;
  leave(): void;
  /** Whether the key was meant for it. */
  key(event: KeyboardEvent): boolean;
  paint(seen: Seen): void;
}
