// What a hidden unit of an MLP speaks for: the tokens to whose score its output row adds most (Geva
// et al. 2022), by the table of tokens alone, as if nothing came after the unit.

import { largest } from "./largest.js";
import { SIDE } from "./matrix.js";

const BEST = 5;  // tokens told of each unit

// Returns the ids of these tokens, the one that gains most first.
export function unitTokens(model, layer, unit) {
  const { blocks, head, work: { normal, hidden, scores }, config: { n_embd: C } } = model;
  const { weight } = blocks[layer].down;  // C rows of 4C numbers, eight side by side
  for (let c = 0; c < C; c++) normal[c] = weight[(c - c % SIDE) * 4 * C + SIDE * unit + c % SIDE];
  hidden.fill(0)[unit] = 1;  // of an adapter that is on, what it adds for the unit alone
  model.change?.(hidden, blocks[layer].down)?.forEach((value, c) => { normal[c] += value; });
  return largest(model.linear(normal, head, scores.subarray(0, head.rows)), BEST);  // as many as have a text
}
