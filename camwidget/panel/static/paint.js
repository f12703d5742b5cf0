/** From the values of a map to the pixels of a picture. The same arithmetic as colours.py; a test compares the two. */

import { stepOf } from "./maps.js";

const DESATURATION = 0.55;
const GREY = [0.2126, 0.7152, 0.0722];

/**
 * Spread a small map over a picture: bilinear between cell centres, edges held (what torch calls align_corners=False).
 * @param {Float32Array} map @param {number} mapHeight @param {number} mapWidth @param {number} height @param {number} width
 * @param {boolean} smooth  false: every cell a block
 * @returns {Float32Array}
 */
export function spread(map, mapHeight, mapWidth, height, width, smooth) {
  const out = new Float32Array(height * width);
  if (!smooth) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor((y * mapHeight) / height) * mapWidth;
      for (let x = 0; x < width; x++) out[y * width + x] = map[row + Math.floor((x * mapWidth) / width)];
    }
    return out;
  }
  const left = new Int32Array(width);
  const right = new Int32Array(width);
  const part = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const at = Math.max(0, ((x + 0.5) * mapWidth) / width - 0.5);
    left[x] = Math.min(mapWidth - 1, Math.floor(at));
    right[x] = Math.min(mapWidth - 1, left[x] + 1);
    part[x] = at - left[x];
  }
  const line = new Float32Array(mapWidth);
  for (let y = 0; y < height; y++) {
    const at = Math.max(0, ((y + 0.5) * mapHeight) / height - 0.5);
    const top = Math.min(mapHeight - 1, Math.floor(at));
    const bottom = Math.min(mapHeight - 1, top + 1);
    const down = at - top;
    for (let x = 0; x < mapWidth; x++) {
      const above = map[top * mapWidth + x];
      line[x] = above + (map[bottom * mapWidth + x] - above) * down;
    }
    const start = y * width;
    for (let x = 0; x < width; x++) out[start + x] = line[left[x]] + (line[right[x]] - line[left[x]]) * part[x];
  }
  return out;
}

/**
 * Blend colours over a picture.
 * @param {Float32Array} base  red, green, blue of the (desaturated) picture
 * @param {Float32Array | null} values  one per pixel; null paints the bare picture
 * @param {Uint8Array} colormap  257 x red, green, blue, opacity; step 128 is zero
 * @param {{scale: number, opacity: number, signed: boolean}} look
 * @param {Uint8ClampedArray} out  red, green, blue, 255
 */
export function blend(base, values, colormap, look, out) {
  const keep = new Float32Array(257);
  const add = new Float32Array(257 * 3);
  for (let step = 0; step < 257; step++) {
    const opacity = (look.opacity * colormap[4 * step + 3]) / 255;
    keep[step] = 1 - opacity;
    for (let k = 0; k < 3; k++) add[3 * step + k] = colormap[4 * step + k] * opacity;
  }
  const pixels = out.length / 4;
  for (let p = 0; p < pixels; p++) {
    const step = values === null ? 128 : stepOf(values[p], look.scale, look.signed);
    const k = keep[step];
    out[4 * p] = base[3 * p] * k + add[3 * step];
    out[4 * p + 1] = base[3 * p + 1] * k + add[3 * step + 1];
    out[4 * p + 2] = base[3 * p + 2] * k + add[3 * step + 2];
    out[4 * p + 3] = 255;
  }
}

/**
 * Colours to lay over a picture: the browser blends them, at whatever size the page has room for.
 * @param {Float32Array} values  one per pixel
 * @param {Uint8Array} colormap @param {{scale: number, opacity: number, signed: boolean}} look
 * @param {Uint8ClampedArray} out  red, green, blue, opacity
 */
export function tint(values, colormap, look, out) {
  const steps = new Uint32Array(257);
  const bytes = new Uint8Array(steps.buffer);
  bytes.set(colormap);
  for (let step = 0; step < 257; step++) bytes[4 * step + 3] = Math.round(look.opacity * colormap[4 * step + 3]);
  const pixels = new Uint32Array(out.buffer, out.byteOffset, values.length);
  for (let p = 0; p < values.length; p++) pixels[p] = steps[stepOf(values[p], look.scale, look.signed)];
}

/** @param {Uint8ClampedArray} pixels @returns {Float32Array} */
export function desaturate(pixels) {
  const out = new Float32Array((pixels.length / 4) * 3);
  for (let p = 0; p < pixels.length / 4; p++) {
    const grey = GREY[0] * pixels[4 * p] + GREY[1] * pixels[4 * p + 1] + GREY[2] * pixels[4 * p + 2];
    for (let k = 0; k < 3; k++) out[3 * p + k] = pixels[4 * p + k] * (1 - DESATURATION) + grey * DESATURATION;
  }
  return out;
}
