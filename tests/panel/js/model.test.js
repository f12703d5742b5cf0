/** How a view hears of traits that belong together. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { together } from "../../../camwidget/panel/static/model.js";
import { modelOf } from "./given.js";

test("what one message brings is acted on once, and what comes later once more", () => {
  const state = { manifest: {}, maps: {} };
  let count = 0;
  const changed = together(modelOf(state), ["manifest", "maps"], () => { count += 1; });

  changed();
  changed();
  assert.equal(count, 1);

  state.maps = {};
  changed();
  assert.equal(count, 2);
});
