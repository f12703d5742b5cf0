import assert from "node:assert/strict";
import { test } from "node:test";

import { blend, desaturate, spread } from "../../../camwidget/panel/static/paint.js";
import { expected } from "./given.js";

function near(found, wanted, most, message) {
  assert.equal(found.length, wanted.length, message);
  const largest = found.reduce((sofar, value, i) => Math.max(sofar, Math.abs(value - wanted[i])), 0);
  assert.ok(largest <= most, `${message}: off by ${largest}`);
}

test("a map is spread as torch does it, with align_corners=False", (t) => {
  for (const { map, map_height, map_width, height, width, smooth, values } of expected(t)?.spread ?? [])
    near(spread(Float32Array.from(map), map_height, map_width, height, width, smooth), values, 1e-5, `${map_height} x ${map_width} to ${height} x ${width}, ${smooth}`);
});

test("between the centres of two cells values go up evenly, and outside they stay", () => {
  assert.deepEqual([...spread(Float32Array.of(0, 8), 1, 2, 1, 8, true)], [0, 0, 1, 3, 5, 7, 8, 8]);
});

test("without smoothing each cell is a block", () => {
  assert.deepEqual([...spread(Float32Array.of(1, 2, 3, 4), 2, 2, 2, 5, false)], [1, 1, 1, 2, 2, 3, 3, 3, 4, 4]);
});

test("a map and a picture are blended as Python does it", (t) => {
  for (const { pixels, map, map_height, map_width, height, width, colormap, look, smooth, blended } of expected(t)?.blend ?? []) {
    const out = new Uint8ClampedArray(4 * height * width);
    blend(desaturate(Uint8ClampedArray.from(pixels)), spread(Float32Array.from(map), map_height, map_width, height, width, smooth), Uint8Array.from(colormap), look, out);
    near([...out], blended, 1, JSON.stringify(look));
  }
});

test("without a map, or without opacity, there is the bare picture", () => {
  const colormap = new Uint8Array(4 * 257).fill(255);
  colormap.fill(0, 4 * 128, 4 * 129); // zero is transparent
  for (const [values, opacity] of [[null, 1], [Float32Array.of(5), 0]]) {
    const out = new Uint8ClampedArray(4);
    blend(Float32Array.of(10, 20, 30), values, colormap, { scale: 5, opacity, signed: true }, out);
    assert.deepEqual([...out], [10, 20, 30, 255]);
  }
});

test("grey takes 55 % of a colour, and has its luminance", () => {
  near(desaturate(Uint8ClampedArray.of(100, 0, 200, 255)), [45 + 0.55 * 35.7, 0.55 * 35.7, 90 + 0.55 * 35.7], 1e-4, "purple");
  near(desaturate(Uint8ClampedArray.of(80, 80, 80, 0)), [80, 80, 80], 1e-4, "grey");
});
