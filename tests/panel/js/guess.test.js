/** How far a guess is from the answer, worked out by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { distanceOf } from "../../../camwidget/panel/static/guess.js";

const LAYER = { name: "0", map_height: 2, map_width: 3 };
const MAP = Float32Array.from([0, 1, 5, 2, 3, 4]); // the strongest: row 1, column 3, its middle at 1/4 and 5/6

test("the distance is counted in cells and in pixels, from the middle of the strongest cell", () => {
  const told = distanceOf({ row: 0.75, column: 0.5 }, MAP, LAYER, { width: 300, height: 100 });
  assert.ok(Math.abs(told.cells - Math.SQRT2) < 1e-12); // one cell down, one to the left
  assert.ok(Math.abs(told.pixels - Math.hypot(50, 100)) < 1e-9);
  assert.equal(told.rank, 3); // its cell has 3; 5 and 4 are more
  assert.equal(told.hit, false);
  assert.deepEqual(told.strongest, { row: 0, column: 2 });
});

test("a blind click is as far off as the middles of all cells are on average", () => {
  const { blind } = distanceOf({ row: 0.5, column: 0.5 }, MAP, LAYER, { width: 3, height: 2 });
  assert.ok(Math.abs(blind - (0 + 1 + 2 + 1 + Math.SQRT2 + Math.sqrt(5)) / 6) < 1e-12);
});

test("a click into the strongest cell is a hit, and where all cells are alike there is no answer", () => {
  assert.equal(distanceOf({ row: 0.1, column: 0.99 }, MAP, LAYER, { width: 3, height: 2 }).hit, true);
  assert.equal(distanceOf({ row: 0.1, column: 0.99 }, new Float32Array(6), LAYER, { width: 3, height: 2 }), null);
});
