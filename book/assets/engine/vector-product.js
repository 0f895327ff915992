// Where a model's numbers lie, and what multiplies them: vector-product.wat, which takes four at
// once, or matrix.js in a browser that cannot run it.

import { fetchedBytes } from "./fetched.js";
import { multiply, roomFor } from "./matrix.js";

const PAGE = 65536;  // bytes that WebAssembly's memory is counted in

export const fetchedProduct = () => fetchedBytes(new URL("vector-product.wasm", import.meta.url));

// numbers: in all arrays that will be taken, each rounded up to eight, as vector-product.wat
// writes eight at once. wasm: its bytes, or nothing. Returns {take, multiply}: take(n) is an array
// of n zeros, and such arrays and parts of them are all that this `multiply`, otherwise that of
// matrix.js, knows.
export function memoryFor(numbers, wasm) {
  if (!wasm || !WebAssembly.validate(wasm)) return { take: (n) => new Float32Array(n), multiply };
  // All at once, as growing would take every array away, and no more is to be held ready.
  const pages = Math.ceil(4 * numbers / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { room: { memory } });
  let taken = 0;
  return {
    take(n) {
      const at = taken;
      taken += roomFor(n, 1);
      return new Float32Array(memory.buffer, 4 * at, n);
    },
    multiply(weight, next, step, x, out) {
      exports.multiply(weight.byteOffset, 4 * next, 4 * step, x.byteOffset, x.length, out.byteOffset, out.length);
    },
  };
}
