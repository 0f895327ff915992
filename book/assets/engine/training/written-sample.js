// A text that a model in training writes: token by token, as the playground draws them.

import { GPTReader } from "../gpt-reader.js";
import { draw, randomNumbers, ranked, sample } from "../sampling.js";

const PLAIN = { temperature: 1, top_k: null, top_p: null, min_p: null };

// The beginning where a reader gives none: a new line, if the text had one.
export const beginning = (tokenizer, first) => (!tokenizer.ids || tokenizer.ids.has("\n") ? tokenizer.encode("\n") : [first]);

// model: a GPT (gpt.js). ids: what it goes on from. Returns the text that it adds.
export function writtenSample(model, tokenizer, ids, { tokens, seed, temperature = 1 }) {
  const reader = new GPTReader(model);
  const chance = randomNumbers(seed);
  const all = [...ids];
  while (all.length < ids.length + tokens) {
    const { probabilities } = sample(Float64Array.from(reader.scores(all)), { ...PLAIN, temperature });
    all.push(draw(probabilities, ranked(probabilities), chance()));
  }
  return tokenizer.decode(all.slice(ids.length));
}
