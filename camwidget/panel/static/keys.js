/**
 * All keys of the panels in one table. What takes keys asks it which of its rows a key belongs to, and the sheet that `?`
 * shows is drawn from it, so no key works that is not listed, and none is listed that nobody asks for.
 */

const ARROWS = /** @type {const} */ (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

const CONTROLS = /** @type {const} */ ({
  anywhere: { title: "Anywhere in the panel, except where you type or choose from a list", rows: {
    play: { keys: ["p"], words: "play through the layers, or stop" },
    undo: { keys: ["u"], words: "take back the last choice" },
    full: { keys: ["f"], words: "full screen, and back" },
    help: { keys: ["?"], words: "show these keys, or hide them" },
  } },
  layer: { title: "Layer slider", rows: {
    back: { keys: ["ArrowLeft", "ArrowDown"], words: "one layer towards the input" },
    on: { keys: ["ArrowRight", "ArrowUp"], words: "one layer towards the output" },
    farBack: { keys: ["PageDown"], words: "three layers towards the input" },
    farOn: { keys: ["PageUp"], words: "three layers towards the output" },
    first: { keys: ["Home"], words: "the first layer" },
    last: { keys: ["End"], words: "the last layer" },
  } },
  class: { title: "Class slider, beside the list, and the list in Hide", rows: {
    back: { keys: ["ArrowUp", "ArrowLeft"], words: "the class above" },
    on: { keys: ["ArrowDown", "ArrowRight"], words: "the class below" },
    farBack: { keys: ["PageUp"], words: "five classes up" },
    farOn: { keys: ["PageDown"], words: "five classes down" },
    first: { keys: ["Home"], words: "the first class" },
    last: { keys: ["End"], words: "the last class" },
  } },
  list: { title: "Class slider, where a kernel runs", rows: {
    remove: { keys: ["Delete"], words: "take the class off the list" },
  } },
  search: { title: "Find another class", rows: {
    back: { keys: ["ArrowUp"], words: "the class above, in what was found" },
    on: { keys: ["ArrowDown"], words: "the class below" },
    take: { keys: ["Enter"], words: "choose it" },
    clear: { keys: ["Escape"], words: "empty the box" },
  } },
  tabs: { title: "Tabs", rows: {
    back: { keys: ["ArrowLeft"], words: "the previous tab" },
    on: { keys: ["ArrowRight"], words: "the next tab" },
    first: { keys: ["Home"], words: "the first tab" },
    last: { keys: ["End"], words: "the last tab" },
  } },
});

const SHOWN = /** @type {const} */ ({
  slide: { title: "The picture, in Slide", rows: {
    move: { keys: ARROWS, words: "read the cell there" },
    look: { keys: ["Enter"], words: "look inside the cell, or back to the classes" },
    leave: { keys: ["Escape"], words: "read no cell any more" },
  } },
  hide: { title: "The picture, in Hide", rows: {
    move: { keys: ARROWS, words: "move the last rectangle, or put the first" },
    size: { keys: ARROWS, shift: true, words: "change its size" },
    drop: { keys: ["Delete", "Backspace"], words: "take it away" },
    clear: { keys: ["Escape"], words: "take all away" },
  } },
  guess: { title: "The picture, in Guess", rows: {
    move: { keys: ARROWS, words: "move the mark" },
    show: { keys: ["Enter"], words: "show where it looks, or guess again" },
  } },
  words: { title: "The text", rows: {
    left: { keys: ["ArrowLeft"], words: "the word on the left" },
    right: { keys: ["ArrowRight"], words: "the word on the right" },
    first: { keys: ["Home"], words: "the first word" },
    last: { keys: ["End"], words: "the last word" },
  } },
  deletion: { title: "The text, where a kernel runs", rows: {
    remove: { keys: ["Enter", "Delete", " "], words: "delete the word" },
  } },
});

/** By what has the focus: a title, and its rows. */
export const KEY_TABLE = { ...CONTROLS, ...SHOWN };

/** @typedef {keyof typeof KEY_TABLE} Group */
/**
 * The rows of a group, by name.
 * @template {Group} Of
 * @typedef {keyof typeof KEY_TABLE[Of]["rows"] & string} Row
 */
/** @typedef {Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">} Press */

/** What is pressed with Ctrl, Cmd or Alt is a command of the notebook or of the browser, never of a panel. @param {Pick<Press, "ctrlKey" | "metaKey" | "altKey">} event */
export const isCommand = (event) => event.ctrlKey || event.metaKey || event.altKey;

/**
 * The row of a group that a key belongs to; null for other keys.
 * @template {Group} Of
 * @param {Of} group @param {Press} event @returns {Row<Of> | null}
 */
export function rowOf(group, event) {
  if (isCommand(event)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  /** @type {[string, {keys: readonly string[], shift?: boolean}][]} */
  const rows = Object.entries(KEY_TABLE[group].rows);
  const fitting = rows.filter(([, { keys, shift }]) => keys.includes(key) && (!shift || event.shiftKey));
  const found = fitting.find(([, { shift }]) => shift) ?? fitting[0];
  return found ? /** @type {Row<Of>} */ (found[0]) : null;
}

/** Keep a key that has no other meaning from the notebook. @param {KeyboardEvent} event */
export function keepPlainKey(event) {
  if (!isCommand(event)) event.stopPropagation();
}

/** Steps in a row of things, by what the tables above call them. */
export const STEPS = /** @type {const} */ ({ back: -1, on: 1, first: -Infinity, last: Infinity });

/** What is printed on a key. @type {Record<string, string>} */
const PRINTED = { ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", PageUp: "Page up", PageDown: "Page down", Escape: "Esc", " ": "Space" };

/** A row's keys as they are printed; four arrows are one word. @param {{keys: readonly string[], shift?: boolean}} row @returns {string[]} */
export function printedKeys({ keys, shift }) {
  const printed = keys.length === ARROWS.length ? ["arrows"] : keys.map((key) => PRINTED[key] ?? key);
  return shift ? printed.map((each) => `Shift + ${each}`) : printed;
}
