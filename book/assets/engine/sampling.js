// From scores to the next token, as in minigpt/generation/sampling.py: the steps in the same order, with the
// same meaning. A token that a step rules out gets a score of -Infinity.

const COLDEST = 1e-30;

const highest = (scores) => scores.reduce((best, score) => Math.max(best, score), -Infinity);

// Ids from the best score to the worst; of equal ones the smaller id comes first. `of`: which.
export function ranked(scores, of = scores.keys()) {
  return [...of].sort((a, b) => scores[b] - scores[a] || a - b);
}

export function softmax(scores) {
  const best = highest(scores);
  const powers = scores.map((score) => Math.exp(score - best));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

// In nats.
export function entropy(probabilities) {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

function applyTemperature(scores, temperature) {
  const best = highest(scores);  // stays 0, however small the temperature
  return scores.map((score) => (score - best) / Math.max(temperature, COLDEST));
}

const keep = (scores, kept) => scores.map((score, id) => (kept(score, id) ? score : -Infinity));

function keepTopK(scores, k) {
  const last = Float64Array.from(scores).sort().at(-Math.min(k, scores.length));
  return keep(scores, (score) => score >= last);
}

function keepTopP(scores, p) {
  const probabilities = softmax(scores);
  const kept = new Set();
  let sum = 0;
  // Tokens below this add up to less than half of what may go: they need no order.
  const least = (1 - p) / (2 * scores.length);
  for (const id of ranked(scores, likely(probabilities, least))) {
    const better = sum;  // what the ones before it add up to
    if (better >= p) break;
    kept.add(id);
    sum += probabilities[id];
  }
  return keep(scores, (_, id) => kept.has(id));
}

// Ids of at least that probability.
export function likely(probabilities, least) {
  return [...probabilities.keys()].filter((id) => probabilities[id] >= least);
}

function keepMinP(scores, p) {
  const least = highest(scores) + Math.log(p);
  return keep(scores, (score) => score >= least);
}

// What becomes of a model's scores (a Float64Array). Settings that change nothing are 1 for the
// temperature and null for the rest. Returns, with an entry for each token,
//   probabilities: after all steps,
//   removedBy: the name of the step that ruled the token out, or undefined;
// and `left`, how many tokens can still be drawn, and their `entropy` in nats.
export function sample(scores, { temperature, top_k, top_p, min_p }) {
  const removedBy = new Array(scores.length);
  const step = (name, changed) => {
    changed.forEach((score, id) => { if (score === -Infinity) removedBy[id] ??= name; });
    return changed;
  };
  let changed = scores;
  if (temperature !== 1) changed = applyTemperature(changed, temperature);
  if (temperature === 0) {
    // Temperature 0 takes the best token, even where two are level.
    const best = changed.indexOf(highest(changed));
    changed = step("temperature", keep(changed, (_, id) => id === best));
  }
  if (top_k !== null) changed = step("top_k", keepTopK(changed, top_k));
  if (top_p !== null) changed = step("top_p", keepTopP(changed, top_p));
  if (min_p !== null) changed = step("min_p", keepMinP(changed, min_p));
  const probabilities = softmax(changed);
  const left = changed.reduce((total, score) => total + (score > -Infinity), 0);
  return { probabilities, removedBy, left, entropy: entropy(probabilities) };
}

// The id that a number from 0 up to 1 falls on, the tokens side by side in this order.
export function draw(probabilities, order, chance) {
  let drawn;
  let sum = 0;
  for (const id of order) {
    if (probabilities[id] === 0) continue;
    drawn = id;  // rounding may leave the sum a little below 1: then it is the last one
    sum += probabilities[id];
    if (chance < sum) break;
  }
  return drawn;
}

// Mulberry32 (Tommy Ettinger, public domain): numbers from 0 up to 1, the same for each seed.
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}
