import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOf, clamp, extremes, Maps, nothing, paintedNow, stepOf } from "../../../camwidget/panel/static/maps.js";
import { expected, modelOf } from "./given.js";

const entry = (offset, unit, reason = "") => ({ offset, unit, contributions: null, bias: null, reason });

/** Two layers of 1 x 2 and 1 x 1 cells, two classes, one method; the bytes begin at an odd place of their buffer. */
function example(choices = {}) {
  const bytes = new Uint8Array(1 + 12);
  const view = new DataView(bytes.buffer, 1);
  [100, -300, 7, 50, 20, -9].forEach((value, i) => view.setInt16(2 * i, value, true));
  const manifest = {
    layers: [{ name: "a", map_height: 1, map_width: 2 }, { name: "b", map_height: 1, map_width: 1 }],
    classes: [{ index: 4 }, { index: 9 }],
    methods: [{ key: "grad_cam" }],
    maps: [[[entry(0, 0.5), entry(2, 1)], [entry(3, 2), entry(0, 0, "not here")]]],
  };
  return new Maps(modelOf({ maps: view, layer_index: 0, class_index: 0, method_index: 0, only_for: 0, own_scale: 0, ...choices }), manifest);
}

test("the extremes of a map are told by row and column from 1", () => {
  assert.deepEqual(extremes(Float32Array.of(1, 5, -2, 0, -3, 4), 3), {
    high: { value: 5, row: 1, column: 2 },
    low: { value: -3, row: 2, column: 2 },
  });
});

test("of equal extremes the first one counts", () => {
  assert.deepEqual(extremes(Float32Array.of(2, 2, 2, 2), 2).high, { value: 2, row: 1, column: 1 });
});

test("steps of the colour table are those of Python", (t) => {
  const { steps } = expected(t) ?? { steps: [] };
  for (const { value, scale, signed, step } of steps) assert.equal(stepOf(value, scale, signed), step, `${value} / ${scale}, ${signed}`);
});

test("the ends, zero and what lies outside have their steps", () => {
  assert.deepEqual([-9, -3, -1.5, 0, 1.5, 3, 9].map((value) => stepOf(value, 3, true)), [0, 0, 64, 128, 192, 256, 256]);
  assert.deepEqual([-3, 0, 3].map((value) => stepOf(value, 3, false)), [128, 128, 256]);
});

test("without a scale every value is zero", () => {
  for (const scale of [0, -1, NaN]) assert.equal(stepOf(5, scale, true), 128);
});

test("an index outside is brought to the nearest", () => {
  assert.deepEqual([-1, 0, 2, 3, 9].map((value) => clamp(value, 3)), [0, 0, 2, 2, 2]);
  assert.equal(clamp(4, 0), 0);
});

test("bytes inside a larger buffer are cut out", () => {
  assert.deepEqual([...new Uint8Array(bytesOf(new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)))], [2, 3]);
});

test("a map is its whole numbers times its unit, and is worked out once", () => {
  const maps = example();
  const { map, high, low } = maps.mapOf(maps.manifest.maps[0][0][0], maps.manifest.layers[0]);
  assert.deepEqual([...map], [50, -150]);
  assert.deepEqual([high.value, low.value], [50, -150]);
  assert.equal(maps.mapOf(maps.manifest.maps[0][0][0], maps.manifest.layers[0]).map, map);
});

test("the scale is the largest magnitude of all classes, of one class, or on one side", () => {
  assert.equal(example().scaleOf(0, 0, 0), 150); // against, of the first class
  assert.equal(example({ only_for: 1 }).scaleOf(0, 0, 0), 100); // of the second: 50 * 2
  assert.equal(example({ own_scale: 1 }).scaleOf(0, 0, 1), 100);
  assert.equal(example({ own_scale: 1, only_for: 1 }).scaleOf(0, 0, 0), 50);
});

test("a class without a map has no part in the scale", () => {
  assert.equal(example().scaleOf(0, 1, 0), 7);
  assert.equal(example({ own_scale: 1 }).scaleOf(0, 1, 1), 0);
});

test("what is shown is within what there is", () => {
  assert.equal(paintedNow(example({ layer_index: 5, class_index: 1 })), "grad_cam/b/9");
  assert.deepEqual(new Maps(modelOf({ layer_index: 3, class_index: 2, method_index: 1 }), nothing()).at(), { layer: 0, target: 0, method: 0 });
});
