// The rows of a sentence's steps: the tokens that weigh most, in the order of the text, then all
// others that may be looked at, and those that may not.

import { count } from "../../parts/token-chips.js";
import { largest } from "../../engine/largest.js";
import { isTiny } from "./steps.js";
import { shown } from "./words.js";

const MOST = 8;  // rows of one token

// result: of attentionByHand. Returns {name, tokens, weights, text, hiddenAt}: text(key) is what the
// row shows of a step, hiddenAt(key) whether that is masked.
export function ownRows(result, asking, names, mask) {
  const all = names.map((_, j) => j);
  const seen = mask ? all.slice(0, asking + 1) : all;
  const weights = result.weights[asking];
  let kept = largest(weights.slice(0, seen.length), MOST);
  if (!kept.includes(asking)) kept = [...kept.slice(0, MOST - 1), asking];
  kept.sort((a, b) => a - b);
  const others = seen.filter((j) => !kept.includes(j));
  const later = all.slice(seen.length);
  const row = (name, tokens) => ({
    name, tokens, weights: tokens.map((j) => weights[j]),
    text: (key) => told(key, tokens.map((j) => result[key][asking][j])),
    hiddenAt: (key) => tokens[0] > asking && mask && ["masked", "exponentials", "weights"].includes(key),
  });
  return [
    ...kept.map((j) => row(`${j + 1} ${names[j]}`, [j])),
    ...(others.length ? [row(count(others.length, "other"), others)] : []),
    ...(later.length ? [row(`${later.length} later`, later)] : []),
  ];
}

// Exponentials and weights are summed up; of scores the highest counts, to one decimal.
function told(key, numbers) {
  if (isTiny(key)) return shown(numbers.reduce((a, b) => a + b, 0), true);
  const highest = Math.max(...numbers);
  return numbers.length === 1 || highest === -Infinity ? shown(highest) : `≤ ${shown(Math.ceil(10 * highest) / 10)}`;
}
