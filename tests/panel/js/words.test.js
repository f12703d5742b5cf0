import assert from "node:assert/strict";
import { test } from "node:test";

import { cellAt, mapInWords, placeAfter } from "../../../camwidget/panel/static/cells.js";
import { strongestOf } from "../../../camwidget/panel/static/chart.js";
import { shareOf, sumText } from "../../../camwidget/panel/static/facts.js";
import { modelOf } from "./given.js";
import { Maps } from "../../../camwidget/panel/static/maps.js";

const LAYER = { name: "0.8", channels: 512, map_height: 4, map_width: 5 };
const entry = (more) => ({ offset: 0, unit: 0, contributions: null, bias: null, reason: "", ...more });
const method = (key, knows_class = true) => ({ key, label: key, knows_class });
const mapsOf = (key) => new Maps(
  modelOf({ layer_index: 0, class_index: 0, method_index: 0, maps: new DataView(new ArrayBuffer(0)) }),
  { layers: [LAYER], classes: [], methods: [method(key)], maps: [], alt: "" },
);

test("a place of the picture lies in a cell, and the edges in the outer ones", () => {
  assert.deepEqual(cellAt({ row: 0.3, column: 0.5 }, LAYER), { row: 1, column: 2 });
  assert.deepEqual(cellAt({ row: -0.01, column: 1 }, LAYER), { row: 0, column: 4 });
});

test("the first arrow key reads the cell in the centre, each later one the next cell", () => {
  assert.deepEqual(placeAfter(null, "ArrowUp", LAYER), { row: 2.5 / 4, column: 2.5 / 5 });
  assert.deepEqual(placeAfter({ row: 2.5 / 4, column: 2.5 / 5 }, "ArrowUp", LAYER), { row: 1.5 / 4, column: 2.5 / 5 });
  assert.deepEqual(placeAfter({ row: 2.5 / 4, column: 4.5 / 5 }, "ArrowRight", LAYER), { row: 2.5 / 4, column: 4.5 / 5 });
  assert.equal(placeAfter(null, "Tab", LAYER), null);
});

test("a map is put into words, with the other side only where it is shown", () => {
  const peaks = { high: { value: 0.5, row: 2, column: 3 }, low: { value: -0.25, row: 4, column: 1 } };
  const size = "The map has 4 rows and 5 columns.";
  assert.equal(mapInWords(peaks, method("grad_cam"), LAYER, true), `Strongest for: row 2, column 3, +0.500. Strongest against: row 4, column 1, \u22120.250. ${size}`);
  assert.equal(mapInWords(peaks, method("eigen_cam", false), LAYER, false), `Largest: row 2, column 3, +0.500. ${size}`);
  const none = { high: { value: 0, row: 1, column: 1 }, low: { value: 0, row: 1, column: 1 } };
  assert.equal(mapInWords(none, method("grad_cam"), LAYER, true), `No cell speaks for this class. ${size}`);
});

test("a sum is written with one number of decimals and the sign of the bias", () => {
  assert.equal(sumText(entry({ contributions: 12.34, bias: -0.5 }), method("grad_cam"), 11.84, "cells"), "contributions 12.3 \u2212 bias 0.5 = logit 11.8");
  assert.equal(sumText(entry({ contributions: 1, bias: 0.5 }), method("hires_cam"), 1.5, "cells"), "contributions 1.00 + effective bias 0.50 = logit 1.50");
});

test("where there is no sum the reason is told", () => {
  assert.match(sumText(entry(), method("grad_cam"), 2, "words"), /^logit 2\.00\. From this layer it is not a plain sum of the words/);
  assert.match(sumText(entry({ why: "method" }), { ...method("layer_cam"), label: "LayerCAM" }, 2, "cells"), /^logit 2\.00\. The cells of LayerCAM do not add up to it at any layer/);
  assert.match(sumText(entry({ why: "unchecked" }), method("grad_cam"), 2, "cells"), /was not checked/);
  assert.match(sumText(entry(), method("occlusion"), 2, "words"), /^logit 2\.00\. Each value is what the logit loses/);
  assert.match(sumText(entry(), method("eigen_cam", false), 2, "cells"), /^It knows no class/);
});

test("what has no probability is an output, no logit", () => {
  assert.equal(sumText(entry({ contributions: 1, bias: 0.5 }), method("grad_cam"), 1.5, "cells", "output"), "contributions 1.00 + bias 0.50 = output 1.50");
  assert.match(sumText(entry(), method("occlusion"), 2, "words", "output"), /^output 2\.00\. Each value is what the output loses/);
});

test("one value is a share of the sum; of plain CAM only after the mean over the cells", () => {
  assert.equal(shareOf(mapsOf("grad_cam"), entry({ contributions: 4 }), 0.5, 20), "+0.500 of 4.00 (12.5 %)");
  assert.equal(shareOf(mapsOf("cam"), entry({ contributions: 4 }), -10, 20), "\u221210.0, gives \u22120.500 of 4.00 (\u221212.5 %)");
  assert.equal(shareOf(mapsOf("grad_cam"), entry(), 0.5, 20), "+0.500");
  assert.equal(shareOf(mapsOf("grad_cam"), entry({ contributions: 0 }), 0.5, 20), "+0.500");
});

test("a chart has the twelve largest magnitudes, sorted by value, and no zeros", () => {
  const values = Float32Array.from({ length: 16 }, (_, i) => (i % 2 ? -i : i));
  assert.deepEqual(strongestOf(values, true), { strongest: [14, 12, 10, 8, 6, 4, 5, 7, 9, 11, 13, 15], left: true });
  assert.deepEqual(strongestOf(values, false), { strongest: [14, 12, 10, 8, 6, 4, 2], left: false });
});
