// What a step does for the token that asks, in one sentence.

import { isTiny } from "./steps.js";
import { shown } from "./words.js";

// who: that token; D: the width of a query; divisor: of its scores; later: the tokens after it, in
// words, empty where there are none; hidden: whether its row has any −∞.
export function sentence(key, { who, D, divisor, mask, scale, later, hidden }) {
  switch (key) {
    case "products":
      return `${who} asks: its query times each key, number by number, summed.`;
    case "scores":
      return scale ? `Each dot product of ${who} is divided by √D = √${D} = ${shown(divisor)}.`
        : `The division is off: the dot products of ${who} stay as they are.`;
    case "masked":
      if (!mask) return `The mask is off: nothing is masked, and ${who} looks at every token.`;
      return later ? `${who} may not look at what comes later: ${later}.`
        : `${who} comes last and may look at every token: nothing is masked in its row.`;
    case "exponentials":
      return `exp makes each score of ${who} positive${hidden ? ", and −∞ to 0" : ""}; then they are summed.`;
    case "weights":
      return `Divided by their sum, the exponentials of ${who} become weights that sum to 1.`;
    default:
      return `${who} receives the values, each times its weight, summed.`;
  }
}

// What the step did to the number of token j, for the steps between the first and the last. row: a
// function that gives the asking token's numbers of a step.
export function lineOf(key, row, divisor, sum, { scale }) {
  const number = (name, j) => shown(row(name)[j], isTiny(name));
  switch (key) {
    case "scores":
      return (j) => (scale ? `${number("products", j)} ÷ ${shown(divisor)} = ${number("scores", j)}` : `${number("products", j)} stays`);
    case "masked":
      return (j) => `${number("scores", j)} ${row("masked")[j] === -Infinity ? "becomes −∞" : "stays"}`;
    case "exponentials":
      return (j) => `exp(${number("masked", j)}) = ${number("exponentials", j)}`;
    default:
      return (j) => `${number("exponentials", j)} ÷ ${shown(sum, true)} = ${number("weights", j)}`;
  }
}
