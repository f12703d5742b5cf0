/**
 * What Python sends, and the model that carries it. Types only: an editor and `tsc` read this file, no browser does.
 * The traits are those of the views in view.py; a test compares them.
 */

import type { HiddenEntry, Inside, NoHidden, NoInside, Region } from "./tools.js";

/** One map: where its numbers start in `maps`, how much one step is, and why there are none. */
export interface MapEntry {
  offset: number;
  unit: number;
  contributions: number | null;
  bias: number | null;
  reason: string;
  /** Why its values do not add up to the logit; empty where they do. */
  why: "" | "method" | "layer" | "unchecked";
}

export interface LayerEntry {
  name: string;
  channels: number;
  map_height: number;
  map_width: number;
  call: number;
  calls: number;
}

export interface ClassEntry {
  index: number;
  name: string;
  /** Null where the network says a value, as in a regression. */
  probability: number | null;
  /** What it says: the probability, or the value. */
  value: number;
  logit: number;
}

export interface MethodEntry {
  key: string;
  label: string;
  knows_class: boolean;
  knows_layer?: boolean;
  code: { shown: Template; refused: Template };
}

/** Code in parts: text, then "layer" or "class" for what is to be filled in, then text again, and so on. */
export type Template = string[];

/** What there is to choose from, and one entry per map: by method, class and layer. */
export interface Manifest {
  layers: LayerEntry[];
  classes: ClassEntry[];
  /** Whether each class has a probability by itself, so that they do not sum to 1. */
  alone: boolean;
  methods: MethodEntry[];
  maps: MapEntry[][][];
  alt: string;
}

/** Of a picture, and of a second one that is compared with it. */
export interface PictureManifest extends Manifest {
  other?: Manifest | null;
}

export interface WordEntry {
  before: string;
  text: string;
  known: boolean;
}

/** The word that was deleted last, and what the network said before, by the index of the class. */
export interface Change {
  text: number;
  word: string;
  before: Record<string, number>;
}

export interface TextMapEntry extends MapEntry {
  rest: number;
}

export interface TextMethodEntry extends MethodEntry {
  notes: string[];
  knows_layer: boolean;
}

export interface TextManifest extends Manifest {
  methods: TextMethodEntry[];
  maps: TextMapEntry[][][];
  words: WordEntry[];
  tail: string;
  positions: number;
  version: number;
  change: Change | null;
  other: TextManifest | null;
}

/** A manifest before the kernel has sent one. */
export interface NoManifest {
  layers?: undefined;
  classes?: undefined;
}

export type Bytes = DataView<ArrayBuffer>;

/** What every view hears from the kernel besides what it shows. */
export interface Told {
  message: string;
  message_at: string;
  busy: string;
  live: number;
}

export interface MapTraits extends Told {
  maps: Bytes;
  manifest: PictureManifest | NoManifest;
  colormap: Bytes;
  layer_index: number;
  class_index: number;
  method_index: number;
  only_for: number;
  own_scale: number;
  names: string[];
  synonyms: string[];
  past: number[];
}

export interface PictureTraits extends MapTraits {
  picture: Bytes;
  heatmap_opacity: number;
  cells: number;
  pictures: string[];
  cut: Cut | NoCut;
  mode_index: number;
  compare_index: number;
  other_class_index: number;
  other_method_index: number;
  other_layer_index: number;
  as_swipe: number;
  swipe: number;
  turned: number;
  other_picture: Bytes;
  regions: Region[];
  fill_index: number;
  hidden: HiddenEntry | NoHidden;
  place: number[];
  inside: Inside | NoInside;
  inside_maps: Bytes;
  guess: number[];
  revealed: number;
}

/** What the network sees of a picture that has another shape. */
export interface Cut {
  width: number;
  height: number;
  part_width: number;
  part_height: number;
  position: number;
  bars: boolean;
}

export interface NoCut {
  width?: undefined;
}

/** The traits that a control of the view moves without the kernel. */
export type ChoiceTrait = "layer_index" | "class_index" | "method_index" | "only_for" | "own_scale" | "cells" | "heatmap_opacity"
  | "mode_index" | "compare_index" | "other_class_index" | "other_method_index" | "other_layer_index" | "as_swipe" | "swipe" | "turned" | "revealed" | "fill_index";

export interface TextTraits extends MapTraits {
  manifest: TextManifest | NoManifest;
  dark_colormap: Bytes;
}

export * from "./dataset.js";

/** What a view uses of an anywidget model; a saved page and the tests hand it an object with the same calls. */
export interface Model<Traits> {
  get<Name extends keyof Traits>(name: Name): Traits[Name];
  set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
  on(event: `change:${keyof Traits & string}` | "msg:custom", listener: (content: any, buffers: Bytes[]) => void): void;
  off(event: `change:${keyof Traits & string}` | "msg:custom", listener: (content: any, buffers: Bytes[]) => void): void;
  save_changes(): void;
  send(message: Request & { number: number }, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
  /** In hosts that have one: what knows the kernel. */
  widget_manager?: { kernel?: HostKernel | null };
}

/** What a host says of its kernel. */
export interface HostKernel {
  status: string;
  statusChanged?: { connect(slot: () => void): void; disconnect(slot: () => void): void };
}

/** What only a kernel can do. `at` is the control that asks, where a message about it belongs. */
export type Request =
  | { do: "hello" }
  | { do: "add" | "add other" | "remove"; index: number; at: string }
  | { do: "look at"; classes: number[] }
  | { do: "picture" | "demo" | "second"; name: string; at: string }
  | { do: "crop"; position: number; at: string }
  | { do: "letterbox"; on: boolean; at: string }
  | { do: "delete"; text: number; word: number; version: number }
  | { do: "undo" }
  | { do: "back"; to: number }
  | { do: "tiles"; rows: number[] }
  | { do: "press"; key: string }
  | { do: "type"; key: string; value: string };

export interface Context<Traits> {
  model: Model<Traits>;
  el: HTMLElement;
  /** In hosts that have one: what draws other anywidgets. */
  host?: WidgetHost;
}

export interface WidgetHost {
  getWidget(reference: string): Promise<{ render(at: { el: HTMLElement; signal: AbortSignal }): Promise<void> }>;
}

/** A cell of a map and its value; row and column count from 1. */
export interface Peak {
  value: number;
  row: number;
  column: number;
}

/** What one step of the colour table is on a page: CSS colours; empty letters keep the colour they have. */
export interface StepColours {
  back: string;
  letters: string;
  line: string;
}

/** A saved page: the traits of its view, the binary ones apart and in base64. */
export interface PageData<Traits = PictureTraits & TextTraits> {
  state: Traits;
  binary: Record<string, string>;
  /** The maps, deflated. */
  packed: string;
}
