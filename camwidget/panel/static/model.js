/** How a view and its model talk, and how a host ends a view. */

/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./types.js").ChoiceTrait} ChoiceTrait */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/**
 * A choice that was made in the view.
 * @template {MapTraits} Traits
 * @param {Model<Traits>} model @param {ChoiceTrait & keyof Traits} trait @param {number} value
 */
export function choose(model, trait, value) {
  if (model.get(trait) === value) return;
  model.set(trait, /** @type {never} */ (value));
  model.save_changes();
}

/**
 * Call a listener whenever its trait changes, until the returned function is called.
 * @template {object} Traits
 * @param {Model<Traits>} model @param {{[Name in keyof Traits & string]?: () => void}} listeners
 */
export function follow(model, listeners) {
  const all = /** @type {[keyof Traits & string, () => void][]} */ (Object.entries(listeners));
  for (const [trait, listener] of all) model.on(`change:${trait}`, listener);
  return () => {
    for (const [trait, listener] of all) model.off(`change:${trait}`, listener);
  };
}

/**
 * What to do when traits change that belong together: once, where one message brings them all and each tells by itself.
 * @template {object} Traits
 * @param {Model<Traits>} model @param {(keyof Traits & string)[]} names @param {() => void} act
 */
export function together(model, names, act) {
  /** @type {unknown[]} */
  let seen = [];
  return () => {
    const now = names.map((name) => model.get(name));
    if (now.length === seen.length && now.every((each, i) => each === seen[i])) return;
    seen = now;
    act();
  };
}

/** What a host calls to end a view, once. Notebooks hold on to this function, so it lets go of the view. @param {{close: () => void} | null} view */
export function ending(view) {
  return () => {
    view?.close();
    view = null;
  };
}
