/** Find a class among all of the network's: by a part of its name, its number, or another word for it. */

/** @typedef {{index: number, name: string, also: string}} Found */

/** Without case and accents. @param {string} text */
const plainText = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

const MOST_FOUND = 50;

/** The names and words to search in, made plain once. @param {string[]} names @param {string[]} synonyms */
export function makeIndex(names, synonyms) {
  return names.map((name, index) => ({ index, name, also: synonyms[index] ?? "", plain: plainText(name), words: plainText(synonyms[index] ?? "") }));
}

/**
 * The classes that fit, the best first: the number itself, the whole name, its beginning, the beginning of a word of it,
 * a part of it, then the same of other words.
 * @param {ReturnType<typeof makeIndex>} all @param {string} typed @returns {Found[]}
 */
export function search(all, typed) {
  const wanted = plainText(typed.trim());
  if (!wanted) return [];
  /** @param {string} text */
  const rank = (text) => (text === wanted ? 0 : text.startsWith(wanted) ? 1 : text.includes(` ${wanted}`) ? 2 : text.includes(wanted) ? 3 : Infinity);
  const ranked = [];
  for (const each of all) {
    const best = String(each.index) === wanted ? -1 : Math.min(rank(each.plain), 4 + rank(each.words));
    if (best < Infinity) ranked.push({ best, each });
  }
  ranked.sort((a, b) => a.best - b.best || a.each.index - b.each.index);
  return ranked.slice(0, MOST_FOUND).map(({ each: { index, name, also } }) => ({ index, name, also }));
}
