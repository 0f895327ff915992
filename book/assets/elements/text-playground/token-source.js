// Where the next token of a text comes from: the model's scores, the settings and the seed, or a
// link that puts it in.

import { draw, likely, randomNumbers, ranked, sample } from "../../engine/sampling.js";

const BEGINNING = "\n\n";   // of an empty prompt, as in minigpt generate: a new speech begins after it
export const END = "<|endoftext|>";

// {text, ids, seen}: seen is what the model sees of a long one, its end, as in minigpt generate.
export function readPrompt(text, { tokenizer, config }) {
  const ids = tokenizer.encode(text || BEGINNING);
  return { text, ids, seen: ids.slice(-config.n_positions) };
}

// Special tokens come after the last merge.
export const isEnd = (id, { size, special }) => special[id - (size - special.length)] === END;

// A function that resolves to the token after those of a text, {id, scores, settings, seed, chance,
// byHand}. `plan`: the branches and changes of a link, where the text is one's.
export function tokenSource(model, { prompt, tokens }, { settings, seed }, plan) {
  const branches = new Map(plan?.branches);
  const changes = new Map(plan?.changes);
  let inForce = plan?.changes.findLast(([at]) => at < tokens.length)?.[1] ?? { settings, seed };
  return async () => {
    const at = tokens.length;
    const scores = await model.scores([...prompt.seen, ...tokens.map(({ id }) => id)]);
    if (!scores.every(Number.isFinite)) throw new Error("its scores are not finite, so nothing can be drawn by them");
    inForce = changes.get(at) ?? inForce;
    const token = { scores, ...inForce, chance: chanceAt(inForce.seed, at), byHand: branches.has(at) };
    token.id = branches.get(at) ?? drawFrom(token);
    return token;
  };
}

// Number k, from 0, of a seed's numbers.
function chanceAt(seed, k) {
  const random = randomNumbers(seed);
  for (let i = 0; i < k; i++) random();
  return random();
}

function drawFrom({ scores, settings, chance }) {
  const exact = Float64Array.from(scores);
  const { probabilities } = sample(exact, settings);
  return draw(probabilities, ranked(exact, likely(probabilities, Number.MIN_VALUE)), chance);
}
