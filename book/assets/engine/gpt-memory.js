// What gpt.js keeps in the memory of vector-product.js.

import { roomFor } from "./matrix.js";

// The vectors that a token becomes on its way, which all tokens share. The last eight columns of a
// head may end behind the numbers that are `gathered`: in `added`, which is computed after them.
export const vectorsOf = ({ vocab_size: V, n_positions: T, n_embd: C }) =>
  ({ x: C, normal: C, qkv: 3 * C, matches: T, gathered: C, added: C, hidden: 4 * C, scores: V });

// How many numbers lie in its memory: matrices, keys and values, and these vectors.
export function numbersOf(config) {
  const { vocab_size: V, n_positions: T, n_embd: C, n_layer: L, tie_word_embeddings: tied = true } = config;
  const count = (shapes) => shapes.reduce((sum, [rows, width]) => sum + roomFor(rows, width), 0);
  const block = count([[3 * C, C], [C, C], [4 * C, C], [C, 4 * C], [T, C], [T, C]]);
  return (tied ? 1 : 2) * count([[V, C]]) + L * block + count(Object.values(vectorsOf(config)).map((n) => [n, 1]));
}
