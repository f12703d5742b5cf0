import assert from "node:assert/strict";
import { test } from "node:test";

import { formatAnswer, formatNumber, formatPercent, formatTogether } from "../../../camwidget/panel/static/format.js";

const cases = (pairs, call) =>
  assert.deepEqual(Object.fromEntries(Object.keys(pairs).map((given) => [given, call(Number(given))])), pairs);

test("a number has three digits that count", () => {
  cases({ 0: "0", 2: "2.00", 1.2345: "1.23", 12.345: "12.3", 0.00123456: "0.00123", 1234.4: "1234" }, (value) => formatNumber(value));
});

test("a very large or very small number has an exponent", () => {
  cases({ 100000: "1.0e+5", 0.00002: "2.0e-5", "-250000": "\u22122.5e+5" }, (value) => formatNumber(value));
});

test("a negative number has a real minus sign, and a positive one a plus sign when asked for", () => {
  assert.equal(formatNumber(-0.5), "\u22120.500");
  assert.equal(formatNumber(0.5, true), "+0.500");
  assert.equal(formatNumber(-0.5, true), "\u22120.500");
  assert.equal(formatNumber(0, true), "0");
  assert.equal(formatNumber(-0), "0");
});

test("what is not finite is named", () => {
  cases({ NaN: "NaN", Infinity: "Infinity", "-Infinity": "-Infinity" }, (value) => formatNumber(value));
});

test("numbers of one sum have the decimals of the largest", () => {
  assert.deepEqual(formatTogether([1.234, -0.5, 12.34]), ["1.2", "\u22120.5", "12.3"]);
  assert.deepEqual(formatTogether([0.0123, 0.001]), ["0.0123", "0.0010"]);
  assert.deepEqual(formatTogether([250.2, -3.7]), ["250", "\u22124"]);
  assert.deepEqual(formatTogether([0, 0]), ["0", "0"]);
});

test("numbers of one sum too large or too small for decimals are written on their own", () => {
  assert.deepEqual(formatTogether([200000, 1]), ["2.0e+5", "1.00"]);
  assert.deepEqual(formatTogether([0.00005, 0]), ["5.0e-5", "0"]);
  assert.deepEqual(formatTogether([Infinity, 1]), ["Infinity", "1.00"]);
});

test("a probability that is not 0 or 1 is not rounded to it", () => {
  cases({ 0: "0.0 %", 0.0009: "under 0.1 %", 0.001: "0.1 %", 0.5: "50.0 %", 0.999: "99.9 %", 0.9991: "over 99.9 %", 1: "100.0 %" }, formatPercent);
});

test("a value has no percent sign and a probability has one", () => {
  assert.equal(formatAnswer({ probability: null, value: -0.5 }), "\u22120.500");
  assert.equal(formatAnswer({ probability: 0.5, value: 0.5 }), "50.0 %");
});
