/** How much larger a panel is on a screen. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { enlargement } from "../../../camwidget/panel/static/fullscreen.js";

test("a panel is enlarged to the screen as far as both its sides allow, and never made smaller", () => {
  assert.equal(enlargement(1280, 720), 1);
  assert.equal(enlargement(1920, 1080), 1.5);
  assert.equal(enlargement(2560, 1080), 1.5);
  assert.equal(enlargement(1920, 1440), 1.5);
  assert.equal(enlargement(380, 700), 1);
  assert.equal(enlargement(1366, 768), 1.05);
  assert.equal(enlargement(7680, 4320), 3);
});
