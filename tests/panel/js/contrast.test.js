import assert from "node:assert/strict";
import { test } from "node:test";

import { coloursOf, contrast, luminance } from "../../../camwidget/panel/static/contrast.js";
import { expected } from "./given.js";

const BLACK = [0, 0, 0];
const WHITE = [255, 255, 255];
const numbers = (css) => css.match(/[\d.]+/g).map(Number);
const over = ([r, g, b, a = 1], page) => [r, g, b].map((each, k) => each * a + page[k] * (1 - a));

/** A colour table with one colour on each side of zero. */
const table = (against, zero, forIt) =>
  Uint8Array.from(Array.from({ length: 257 }, (_, step) => (step < 128 ? against : step > 128 ? forIt : zero)).flat());

test("luminance and contrast are those of the accessibility rules", () => {
  assert.equal(luminance(BLACK), 0);
  assert.ok(Math.abs(luminance(WHITE) - 1) < 1e-12);
  assert.ok(Math.abs(luminance([255, 0, 0]) - 0.2126) < 1e-12);
  assert.ok(Math.abs(contrast(BLACK, WHITE) - 21) < 1e-9);
  assert.equal(contrast(WHITE, BLACK), contrast(BLACK, WHITE));
  assert.equal(contrast([118, 118, 118], WHITE).toFixed(2), "4.54"); // the known darkest grey but one for 4.5
  assert.equal(contrast([119, 119, 119], WHITE).toFixed(2), "4.48");
});

test("where nothing is painted letters keep their colour and the line is not seen", () => {
  const zero = coloursOf(table([0, 0, 255, 255], [247, 247, 247, 0], [255, 0, 0, 255]), WHITE, BLACK)[128];
  assert.deepEqual([zero.back, zero.letters], ["rgba(247, 247, 247, 0.000)", ""]);
  assert.equal(numbers(zero.line)[3], 0);
});

test("on strong colours letters are black or white, whichever reads better, unless their own colour does", () => {
  const colours = coloursOf(table([0, 0, 120, 255], [0, 0, 0, 0], [255, 255, 0, 255]), WHITE, [90, 0, 0]);
  assert.equal(colours[0].letters, "rgb(255, 255, 255)");
  assert.equal(colours[256].letters, "");
  assert.equal(coloursOf(table([0, 0, 120, 255], [0, 0, 0, 0], [255, 255, 0, 255]), BLACK, WHITE)[256].letters, "rgb(0, 0, 0)");
});

test("the line of the sign is full from a fifth of the scale on", () => {
  const strengths = coloursOf(table([0, 0, 255, 255], [0, 0, 0, 0], [255, 0, 0, 255]), WHITE, BLACK).map(({ line }) => numbers(line)[3]);
  assert.deepEqual([128, 129, 141, 153, 154, 256, 102, 0].map((step) => strengths[step]), [0, 0.039, 0.508, 0.977, 1, 1, 1, 1]);
});

test("with both tables of the package letters have a contrast of 4.5 and lines one of 3", (t) => {
  const tables = expected(t)?.tables ?? {};
  for (const [name, page, own] of [["light", WHITE, [33, 33, 33]], ["dark", [20, 24, 28], [232, 235, 239]]]) {
    if (!tables[name]) continue;
    coloursOf(Uint8Array.from(tables[name]), page, own).forEach(({ back, letters, line }, step) => {
      const seen = over(numbers(back), page);
      assert.ok(contrast(letters ? numbers(letters) : own, seen) >= 4.5, `letters at ${step}, ${name}`);
      assert.ok(contrast(numbers(line).slice(0, 3), seen) >= 3, `line at ${step}, ${name}`);
    });
  }
});
