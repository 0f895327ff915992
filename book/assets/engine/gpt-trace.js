// What happens to a text on its way through a GPT, every number of it a true one.

import { largest } from "./largest.js";
import { entropy, softmax } from "./sampling.js";

const BEST = 10;  // tokens that the logit lens tells of each place
const UNITS = 5;  // hidden units of an MLP that are told of each token

// ids: T tokens. Returns
//   tokens, positions: T × C numbers, the rows of the two tables that are added up;
//   qkv[layer]: T × 3C, of each token the queries of all heads, then the keys, then the values;
//   matches[layer][head]: T × T, q·k/√D of token q with each up to itself; 0 beyond;
//   weights[layer][head]: T × T, row q says how much token q takes of each: their softmax;
//   units[layer][t]: the five hidden units of the MLP that are largest after GELU, the largest
//     first, as {unit, activation};
//   norms: of L + 1 places (after the tables, after each block) the length of each token's vector;
//   added[layer]: {attention, mlp}, the lengths of what a block adds to each token's vector;
//   lens[place][t]: what the scoring of the end, done here already, says comes next: the ten
//     best as {id, probability}, and `entropy` in nats (nostalgebraist 2020, "the logit lens");
//   scores: V numbers after the last token.
export function trace(model, ids) {
  const { n_layer: L, n_head: H, n_embd: C } = model.config;
  const T = ids.length;
  model.check(ids, 0);
  model.rewind(0);
  const rows = () => new Float32Array(T * C);
  const lengths = () => new Float32Array(T);
  const maps = () => Array.from({ length: L }, () => Array.from({ length: H }, () => new Float32Array(T * T)));
  const told = {
    tokens: rows(), positions: rows(),
    qkv: Array.from({ length: L }, () => new Float32Array(T * 3 * C)),
    matches: maps(), weights: maps(),
    units: Array.from({ length: L }, () => []),
    norms: Array.from({ length: L + 1 }, lengths),
    added: Array.from({ length: L }, () => ({ attention: lengths(), mlp: lengths() })),
    lens: Array.from({ length: L + 1 }, () => []),
  };
  ids.forEach((id, t) => {
    const at = { qkv: 0, matches: 0, weights: 0, attention: 0, hidden: 0, mlp: 0, stream: 0 };  // how often each was told
    const keep = {
      token: (x) => told.tokens.set(x, t * C),
      position: (x) => told.positions.set(x, t * C),
      qkv: (x, i) => told.qkv[i].set(x, t * 3 * C),
      matches: (x, i) => told.matches[Math.floor(i / H)][i % H].set(x, t * T),
      weights: (x, i) => told.weights[Math.floor(i / H)][i % H].set(x, t * T),
      attention: (x, i) => { told.added[i].attention[t] = norm(x); },
      hidden: (x, i) => { told.units[i].push(largest(x, UNITS).map((unit) => ({ unit, activation: x[unit] }))); },
      mlp: (x, i) => { told.added[i].mlp[t] = norm(x); },
      stream: (x, i) => {
        told.norms[i][t] = norm(x);
        told.scores = model.scores(x);  // the last one told is that of the last token's end
        told.lens[i].push(guess(told.scores));
      },
    };
    model.step(id, (what, x) => keep[what](x, at[what]++));
  });
  model.rewind(0);
  return told;
}

// The length of a vector.
export const norm = (x) => Math.hypot(...x);

function guess(scores) {
  const probabilities = softmax(Float64Array.from(scores));
  const best = largest(probabilities, BEST).map((id) => ({ id, probability: probabilities[id] }));
  return { best, entropy: entropy(probabilities) };
}
