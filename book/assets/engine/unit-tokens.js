// What a hidden unit of an MLP speaks for: the tokens to whose score its output row adds most (Geva
// et al. 2022), by the table of tokens alone, as if nothing came after the unit.

import { largest } from "./largest.js";
import { multiply, SIDE } from "./matrix.js";

const BEST = 5;  // tokens told of each unit

// Returns the ids of these tokens, the one that gains most first.
export function unitTokens({ blocks, head, config: { n_embd: C } }, layer, unit) {
  const { weight } = blocks[layer].down;  // C rows of 4C numbers, eight side by side
  const row = Float32Array.from({ length: C }, (_, c) =>
    weight[(c - c % SIDE) * 4 * C + SIDE * unit + c % SIDE]);
  const gains = new Float32Array(head.rows);  // as many as have a text
  multiply(head.weight, SIDE * C, SIDE, row, gains);
  return largest(gains, BEST);
}
