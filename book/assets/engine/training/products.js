// One room for all numbers of a training run, and the product of matrices that lie in it. A matrix
// is {at, row, column}: where its first number stands, and how far it is from one row, and one
// column, to the next. So its transpose is the same numbers with the steps exchanged.

const PAGE = 65536;  // bytes that WebAssembly's memory grows by
const DEPTH = 256;  // of a product's parts, whose packed columns fit a processor's first cache
const ROOM = 8 * DEPTH + 32;  // numbers that product.wat works in

export const transposed = ({ at, row, column }) => ({ at, row: column, column: row });

// wasm: the bytes of product.wasm, or nothing where the browser cannot run it. numbers: how many
// there must be room for. Returns {floats, product}.
export async function roomFor(numbers, wasm) {
  if (!wasm || !WebAssembly.validate(wasm)) {
    const floats = new Float32Array(numbers);
    return { floats, product: (...sizes) => productInScript(floats, ...sizes) };
  }
  const { instance } = await WebAssembly.instantiate(wasm);
  const { memory, product } = instance.exports;
  memory.grow(Math.ceil(4 * (numbers + ROOM) / PAGE));  // once: growing takes every array away
  const floats = new Float32Array(memory.buffer, 4 * ROOM, numbers);
  const byte = (place) => 4 * (ROOM + place);
  return {
    floats,
    // c (m rows, n columns) = a (m, depth) times b (depth, n), or that added to it.
    product(m, n, depth, a, b, c, add = false) {
      for (let k = 0; k < depth; k += DEPTH) {
        product(
          m, n, Math.min(DEPTH, depth - k),
          byte(a.at + k * a.column), 4 * a.row, 4 * a.column,
          byte(b.at + k * b.row), 4 * b.row, 4 * b.column,
          byte(c.at), 4 * c.row, add || k > 0 ? 1 : 0, 0,
        );
      }
    },
  };
}

// The same without WebAssembly, about a tenth as fast: a column of b at a time, four rows of a.
function productInScript(floats, m, n, depth, a, b, c, add = false) {
  const column = new Float64Array(depth);
  for (let j = 0; j < n; j++) {
    for (let k = 0, from = b.at + j * b.column; k < depth; k++, from += b.row) column[k] = floats[from];
    for (let i = 0; i < m; i += 4) {
      const start = (r) => a.at + Math.min(i + r, m - 1) * a.row;
      let [p, q, r, s] = [start(0), start(1), start(2), start(3)];
      let [w, x, y, z] = [0, 0, 0, 0];
      for (let k = 0; k < depth; k++) {
        const value = column[k];
        w += floats[p] * value; x += floats[q] * value; y += floats[r] * value; z += floats[s] * value;
        p += a.column; q += a.column; r += a.column; s += a.column;
      }
      [w, x, y, z].slice(0, m - i).forEach((sum, more) => {
        const to = c.at + (i + more) * c.row + j;
        floats[to] = add ? floats[to] + sum : sum;
      });
    }
  }
}
