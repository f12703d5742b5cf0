/** One cell in words, worked out by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { greyTable, isOf, productWords, seenWords, shareWords } from "../../../camwidget/panel/static/cell.js";

const picture = { width: 130, height: 90 };
const box = (top, left, bottom, right) => ({ top, left, bottom, right });
const seen = (key, contributions) => ({
  maps: { at: () => ({ layer: 0, target: 0, method: 0 }), manifest: { methods: [{ key }], classes: [{ index: 7, probability: 0.5 }] } },
  shown: { name: "0.8", map_height: 2, map_width: 5 }, entry: { contributions },
});

test("what a cell sees is told as width by height, or as the whole picture", () => {
  assert.equal(seenWords(box(0, 0, 90, 130), box(10, 20, 40, 70), picture), "It sees the whole picture; 80 % of what moves it lies in the dashed 50 \u00d7 30 pixels.");
  assert.equal(seenWords(box(1, 0, 90, 130), box(1, 2, 3, 5), picture), "It sees 130 \u00d7 89 pixels; 80 % of what moves it lies in the dashed 3 \u00d7 2 pixels.");
  assert.equal(seenWords(null, null, picture), "No pixel of this picture moves it.");
});

test("the multiplication is written out", () => {
  assert.equal(productWords({ index: 412, activation: 3.1, weight: -0.08, adds: -0.248 }), "3.10 \u00d7 \u22120.0800 = \u22120.248");
});

test("a share of the logit is told where the cells add up to it; one of plain CAM only after the mean", () => {
  assert.equal(shareWords(seen("grad_cam", 4), 1), "25.0 % of the 4.00 that all cells add to the logit");
  assert.equal(shareWords(seen("cam", 4), 10), "gives +1.00, 25.0 % of the 4.00 that all cells add to the logit");
  assert.equal(shareWords(seen("grad_cam", null), 1), "");
});

test("what the kernel sent of another cell, layer, method or class is not shown", () => {
  const sent = { layer: "0.8", method: "cam", class: 7, cell: [1, 3], reason: "" };
  const at = { row: 1, column: 3 };
  assert.equal(isOf(sent, seen("cam", 4), at), true);
  for (const other of [{ layer: "0.7" }, { method: "grad_cam" }, { class: 8 }, { cell: [1, 2] }]) assert.equal(isOf({ ...sent, ...other }, seen("cam", 4), at), false);
  assert.equal(isOf({}, seen("cam", 4), at), false);
});

test("nothing is transparent in the table of greys but zero", () => {
  const table = greyTable();
  const opacity = Array.from({ length: 257 }, (_, step) => table[4 * step + 3]);
  assert.deepEqual([opacity[0], opacity[128], opacity[256]], [255, 0, 255]);
  assert.equal(opacity.filter((each) => each === 0).length, 1);
});
