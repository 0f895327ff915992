// What a run does, in words.

import { count, number } from "../../parts/token-chips.js";

const RISE = 0.02;   // nats above the lowest: less is chance
const TWICE = 2;     // looks in a row that are above it

export const nats = (loss) => (loss < 1000 ? loss.toFixed(2) : "more than 1,000");

// Of an earlier run, on its curve and before its words.
export const letter = (i) => "ABCD"[i % 4];

export function duration(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes}\u00a0min` : `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

// "0.01": as people write it.
export const rateText = (rate) => String(Number(rate.toPrecision(6)));

export const tokensText = (merges) => (merges ? `BPE, ${count(merges, "merge")}` : "characters");

const PARTS = [
  ["text", ({ title }) => title],
  ["tokens", ({ merges }) => tokensText(merges)],
  ["size", ({ size }) => size],
  ["learning rate", ({ recipe }) => rateText(recipe.learning_rate)],
  ["steps", ({ recipe }) => number(recipe.steps)],
  ["batch", ({ recipe }) => count(recipe.batch_size, "window")],
  ["warm-up", ({ recipe: { warmup } }) => (warmup ? "as usual" : "none")],
  ["optimiser", ({ recipe }) => (recipe.optimizer === "descent" ? "plain descent" : "AdamW")],
  ["first weights", ({ spread }) => (spread === 1 ? "as usual" : `${spread} times as large`)],
];

// What each of some runs had that not all of them had: "learning rate 0.3, batch 1 window".
export function differences(orders) {
  const parts = PARTS.filter(([, text]) => new Set(orders.map(text)).size > 1);
  return orders.map((order) => parts.map(([name, text]) => `${name} ${text(order)}`).join(", ") || "the same settings");
}

// How an earlier run ended.
export function outcome({ looks, seconds, broke, step }) {
  if (broke) return `; broke after ${count(step, "step")}`;
  return looks.length ? `; ended at ${nats(looks.at(-1).loss)} after ${duration(seconds)}` : "";
}

export const inShort = (order) => `${order.title}, ${order.size} numbers, ${tokensText(order.merges)}`;

// Where the loss on the unseen text was lowest, if it has risen since: {step, loss}. Not at the
// start: a run whose loss has never fallen has learned nothing, by heart or not.
function lowestBeforeRise(looks) {
  if (looks.length <= TWICE) return undefined;
  const lowest = looks.reduce((best, look) => (look.loss < best.loss ? look : best));
  return lowest.step > 0 && looks.slice(-TWICE).every(({ loss }) => loss > lowest.loss + RISE) ? lowest : undefined;
}

export function rising(looks) {
  const lowest = lowestBeforeRise(looks);
  return lowest && `The loss on the text kept apart was lowest at step ${number(lowest.step)} (${nats(lowest.loss)}) and rises since: what it learns now, it learns by heart.`;
}

// "Step 640 of 2,000. 112 steps a second, about 12 s to go."
export function progress({ step, steps, perSecond, seconds, broke }) {
  const at = `Step ${number(step)} of ${number(steps)}`;
  if (broke) return `${at}: it broke.`;
  if (step >= steps) return `${at}: ${duration(seconds)} in all.`;
  if (!(perSecond > 0 && perSecond < Infinity)) return `${at}.`;
  const speed = perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);
  return `${at}: ${speed} steps a second, about ${duration((steps - step) / perSecond)} to go.`;
}

// Where a loss stands beside guessing and counting.
export function verdict(loss, { guessing, pairs }) {
  if (loss > guessing + 0.05) return `worse than guessing (${nats(guessing)})`;
  if (loss > guessing - 0.1) return `no better than guessing (${nats(guessing)})`;
  if (pairs === null) return `better than guessing (${nats(guessing)})`;
  if (loss > pairs) return `better than guessing (${nats(guessing)}), not yet than counting pairs (${nats(pairs)})`;
  return `better than counting pairs (${nats(pairs)})`;
}

// Counting pairs is measured on the text kept apart, and so is what stands beside it.
export function standing({ looks, facts }, smooth) {
  const last = looks.at(-1);
  return `Training loss ${nats(smooth)}${last ? `; on the text kept apart ${nats(last.loss)}: ${verdict(last.loss, facts)}` : ""}.`;
}

// The curve for those who do not see it.
export function described({ looks, facts, order }, smooth) {
  if (!looks.length) return "The loss of the run, which has not begun.";
  const last = looks.at(-1);
  const now = smooth.length ? ` On what it learns from it is ${nats(smooth.at(-1))} now.` : "";
  return `The loss by step. On the text kept apart it began at ${nats(looks[0].loss)} and is ${nats(last.loss)} at step ${number(last.step)} of ${number(order.recipe.steps)}: ${verdict(last.loss, facts)}.${now}`;
}

// What the marks of the ladder are, and how far to trust them here.
export function aboutLadder({ characters, pairs }, { config, pairs: own }) {
  return `At the right, what the models of part one reach: the book’s ladder of loss. They learned from all plays and were judged by other speeches, with ${characters} characters where here are ${config.vocab_size}; counting pairs has ${nats(pairs)} there and ${nats(own)} here, so compare to a tenth.`;
}
