/** A saved page with the mistakes of a data set: its pictures lie in the page, and tags last until it is closed. */

import { MistakesView } from "./mistakes.js";
import { elementOf, makeModel, readData } from "./page.js";

/** @typedef {import("./types.js").PageData<import("./types.js").MistakesTraits> & {tiles: import("./types.js").SavedTile[]}} Data */

const data = /** @type {Data} */ (/** @type {unknown} */ (readData()));
const saved = new Map(data.tiles.map((tile) => [tile.row, tile]));
new MistakesView({ model: makeModel(data.state), el: elementOf("camw-view") }, saved);
