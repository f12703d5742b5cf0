/** A widget of a panel: the view, or a stock widget beside it. */
export type Part = { key: string; shown: boolean; classes: string[] } & (
  | { kind: "view"; widget: string }
  | { kind: "box"; parts: Part[] }
  | { kind: "text"; label: string; value: string; heard: number }
  | { kind: "button"; label: string; title: string; disabled: boolean }
  | { kind: "progress"; label: string; value: number; max: number }
  | { kind: "words"; value: string }
);

/** What a whole panel consists of, where the host draws no stock widgets. */
export interface WholeTraits {
  parts: Part[];
}
