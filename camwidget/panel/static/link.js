/** What a page shows as the end of its address, so that it can be linked to: "#layer=0.5&class=cat". */

/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {Record<string, number>} Positions */

/** The names of what can be linked to, and the traits of their positions. */
const LINKED = /** @type {const} */ ({ layer: "layer_index", class: "class_index", method: "method_index", other: "other_class_index", mode: "mode_index" });
const MOST_NAMES = 8; // that are listed where one is unknown
const MODE_NAMES = ["slide", "compare", "hide", "guess"];

/** The names at the positions of a trait. @param {keyof typeof LINKED} key @param {Manifest} manifest @returns {string[]} */
function namesOf(key, manifest) {
  if (key === "mode") return MODE_NAMES;
  if (key === "layer") return manifest.layers.map((each) => each.name);
  if (key === "method") return manifest.methods.map((each) => each.key);
  // names that several classes have end with the number, which is enough
  const names = manifest.classes.map(({ name, index }) => (name.endsWith(` \u00b7 ${index}`) ? String(index) : name));
  return key === "other" ? ["", ...names] : names;
}

/** The positions that an address asks for; what it does not know is left as it is. @param {string} hash @param {Manifest} manifest @returns {Positions} */
export function positionsOf(hash, manifest) {
  /** @type {Positions} */
  const found = {};
  for (const [key, name] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (!Object.hasOwn(LINKED, key)) continue;
    const known = /** @type {keyof typeof LINKED} */ (key);
    let place = namesOf(known, manifest).indexOf(name);
    const byNumber = manifest.classes.findIndex((each) => String(each.index) === name);
    if (place < 0 && byNumber >= 0 && (known === "class" || known === "other")) place = byNumber + (known === "other" ? 1 : 0);
    if (place >= 0) found[LINKED[known]] = place;
  }
  return found;
}

/** What an address asks for that is not here, in words; empty if there is none. @param {string} hash @param {Manifest} manifest */
export function unknownWords(hash, manifest) {
  const asked = [...new URLSearchParams(hash.replace(/^#/, ""))].filter(([, name]) => name);
  const lost = asked.filter(([key, name]) => !Object.keys(positionsOf(String(new URLSearchParams([[key, name]])), manifest)).length);
  return lost.map(([key, name]) => {
    const given = `The address of this page asks for ${key}=${name}.`;
    if (!Object.hasOwn(LINKED, key)) return `${given} It can ask for ${Object.keys(LINKED).join(", ")}. Correct the word before the =, or choose below.`;
    const names = namesOf(/** @type {keyof typeof LINKED} */ (key), manifest).filter(Boolean);
    const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
    return `${given} Here there is ${names.slice(0, MOST_NAMES).join(", ")}${more}. Write one of these, or choose below.`;
  }).join("\n");
}

/** The address of what is shown. @param {(trait: string) => unknown} get @param {Manifest} manifest */
export function linkOf(get, manifest) {
  const parts = new URLSearchParams();
  for (const [key, trait] of Object.entries(LINKED)) {
    const name = namesOf(/** @type {keyof typeof LINKED} */ (key), manifest)[Number(get(trait) ?? 0)];
    if (name && !(key === "mode" && name === MODE_NAMES[0])) parts.set(key, name);
  }
  return `#${parts}`;
}
