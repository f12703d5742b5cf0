/** How a view and its model talk. */

/** @typedef {import("./types.js").MapTraits} MapTraits */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** A choice that was made in the view. @param {Model<MapTraits>} model @param {"layer_index" | "class_index"} trait @param {number} value */
export function choose(model, trait, value) {
  model.set(trait, value);
  model.save_changes();
}

/**
 * Call a listener whenever its trait changes, until the returned function is called.
 * @template {MapTraits} Traits
 * @param {Model<Traits>} model @param {{[Name in keyof Traits & string]?: () => void}} listeners
 */
export function follow(model, listeners) {
  const all = /** @type {[keyof Traits & string, () => void][]} */ (Object.entries(listeners));
  for (const [trait, listener] of all) model.on(`change:${trait}`, listener);
  return () => {
    for (const [trait, listener] of all) model.off(`change:${trait}`, listener);
  };
}
