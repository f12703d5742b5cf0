/** Hidden parts, worked out by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { coverage, regionAfter, sharesOf } from "../../../camwidget/panel/static/hide.js";

const LAYER = { map_height: 2, map_width: 4 };

test("a cell counts by the part of it that is hidden, and twice hidden is hidden once", () => {
  assert.deepEqual([...coverage([[0, 0, 0.5, 0.375]], LAYER)], [1, 0.5, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...coverage([[0, 0, 0.5, 0.5], [0, 0.25, 1, 0.5]], LAYER)], [1, 1, 0, 0, 0, 1, 0, 0]);
  assert.deepEqual([...coverage([], LAYER)], [0, 0, 0, 0, 0, 0, 0, 0]);
});

test("of the evidence only what speaks for the class counts", () => {
  const map = Float32Array.from([6, 2, -4, 0, 0, 0, 2, -1]);
  assert.deepEqual(sharesOf(map, coverage([[0, 0, 0.5, 0.75]], LAYER)), { area: 3 / 8, evidence: 0.8 });
  assert.equal(sharesOf(new Float32Array(8), coverage([[0, 0, 1, 1]], LAYER)).evidence, null);
});

test("arrow keys move a part and Shift gives it another size, within the picture", () => {
  const near = (found, wanted) => found.forEach((each, i) => assert.ok(Math.abs(each - wanted[i]) < 1e-12, `${found}`));
  near(regionAfter([0, 0.5, 0.5, 1], "ArrowRight", false), [0, 0.5, 0.5, 1]);
  near(regionAfter([0, 0.5, 0.5, 1], "ArrowDown", false), [1 / 28, 0.5, 0.5 + 1 / 28, 1]);
  near(regionAfter([0, 0.5, 0.5, 1], "ArrowLeft", true), [0, 0.5, 0.5, 1 - 1 / 28]);
  near(regionAfter([0, 0, 1 / 28, 1], "ArrowUp", true), [0, 0, 1 / 28, 1]);
});
