// One room for all numbers of a training run, and what is computed in it. A matrix is {at, row,
// column}: where its first number stands, and how far it is from one row, and one column, to the
// next. So its transpose is the same numbers with the steps exchanged.

import { fetchedBytes } from "../fetched.js";
import { layersInScript } from "./layers-in-script.js";
import { productInScript } from "./product-in-script.js";

const PAGE = 65536;  // bytes that WebAssembly's memory grows by
const DEPTH = 256;  // of a product's parts, whose packed columns fit a processor's first cache
const ROOM = 8 * DEPTH + 32;  // numbers that product.wat works in

export const transposed = ({ at, row, column }) => ({ at, row: column, column: row });

// The bytes of product.wasm and layers.wasm.
export async function fetchedWasm() {
  const parts = ["product", "layers"].map((name) => fetchedBytes(new URL(`${name}.wasm`, import.meta.url)));
  const [product, layers] = await Promise.all(parts);
  return { product, layers };
}

// numbers: how many there must be room for. wasm: as fetchedWasm gives it, or nothing; a browser
// that cannot run it does without. Returns {floats, product, layers}.
export async function roomFor(numbers, wasm) {
  if (!wasm || !WebAssembly.validate(wasm.product) || !WebAssembly.validate(wasm.layers)) {
    const floats = new Float32Array(numbers);
    return { floats, product: (...sizes) => productInScript(floats, ...sizes), layers: layersInScript(floats) };
  }
  const { instance: { exports } } = await WebAssembly.instantiate(wasm.product);
  const { memory } = exports;
  memory.grow(Math.ceil(4 * (numbers + ROOM) / PAGE));  // once: growing takes every array away
  const floats = new Float32Array(memory.buffer, 4 * ROOM, numbers);
  const { instance } = await WebAssembly.instantiate(wasm.layers, { room: { memory } });
  const told = new Float32Array(memory.buffer, 0, 2);
  return { floats, product: productIn(exports), layers: layersIn(instance.exports, told) };
}

const byte = (place) => 4 * (ROOM + place);

const productIn = ({ product }) =>
  // c (m rows, n columns) = a (m, depth) times b (depth, n), or that added to it.
  (m, n, depth, a, b, c, add = false) => {
    for (let k = 0; k < depth; k += DEPTH) {
      product(
        m, n, Math.min(DEPTH, depth - k),
        byte(a.at + k * a.column), 4 * a.row, 4 * a.column,
        byte(b.at + k * b.row), 4 * b.row, 4 * b.column,
        byte(c.at), 4 * c.row, add || k > 0 ? 1 : 0, 0,
      );
    }
  };

// As layers-in-script.js, in bytes. told: where `softmax` leaves the largest number, and the sum.
const layersIn = (wasm, told) => ({
  gelu: (x, y, slope, count) => wasm.gelu(byte(x), byte(y), byte(slope), count),
  multiply: (y, x, count) => wasm.multiply(byte(y), byte(x), count),
  add: (y, x, count) => wasm.add(byte(y), byte(x), count),
  addRows: (to, x, rows, width) => wasm.addRows(byte(to), byte(x), rows, width),
  normalise: (x, y, scales, weight, bias, rows, width) =>
    wasm.normalise(byte(x), byte(y), byte(scales), byte(weight), byte(bias), rows, width),
  normaliseBack: (x, scales, weight, dweight, dbias, dy, dx, rows, width) =>
    wasm.normaliseBack(byte(x), byte(scales), byte(weight), byte(dweight), byte(dbias), byte(dy), byte(dx), rows, width),
  softmax(at, n, share) {
    wasm.softmax(byte(at), n, 1, share, 0);
    return told[0] + Math.log(told[1]);
  },
  weigh: (at, length, scale) => wasm.weigh(byte(at), length, scale, 0),
  weighBack: (weights, d, length, scale) => wasm.weighBack(byte(weights), byte(d), length, scale),
});
