/** Numbers for reading. */

/**
 * A number for reading: three digits that count, a real minus sign, and a plus sign when asked for.
 * @param {number} value @param {boolean} [plus]
 */
export function formatNumber(value, plus = false) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? size.toExponential(1) : size >= 100 ? size.toFixed(0) : size.toPrecision(3);
  return (value < 0 ? "\u2212" : plus ? "+" : "") + text;
}

/** Numbers of one sum, with as many decimals as the largest needs for three digits. @param {number[]} values */
export function formatTogether(values) {
  const largest = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(largest) || largest >= 1e5 || (largest > 0 && largest < 1e-4)) return values.map((each) => formatNumber(each));
  const decimals = largest === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(largest)));
  return values.map((each) => each.toFixed(decimals).replace("-", "\u2212"));
}

/** What a network says of a class: a percentage, or a value where there is no probability. @param {{probability: number | null, value: number}} said */
export function formatAnswer({ probability, value }) {
  return probability === null ? formatNumber(value) : formatPercent(probability);
}

/** @param {number} probability */
export function formatPercent(probability) {
  if (probability > 0 && probability < 0.001) return "under 0.1 %";
  if (probability < 1 && probability > 0.999) return "over 99.9 %";
  return `${(100 * probability).toFixed(1)} %`;
}
