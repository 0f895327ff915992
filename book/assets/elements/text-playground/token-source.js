// Where the next token of a text comes from: the model's scores, the settings and the seed, or a
// link that puts it in.

import { draw, likely, randomNumbers, ranked, sample } from "../../engine/sampling.js";
import { number } from "../../parts/token-chips.js";

const BEGINNING = "\n\n";   // of an empty prompt, as in minigpt generate: a new speech begins after it

// {text, ids, seen, remark}: seen is what the model sees of a long one, its end, as in minigpt
// generate; remark is what the reader should know of that.
export function readPrompt(text, { tokenizer, config }) {
  const begins = text || beginning(tokenizer);
  const ids = tokenizer.encode(begins);
  const seen = ids.slice(-config.n_positions);
  const remarks = [];
  if (!text) remarks.push(`The prompt is empty, so the text begins with ${begins === BEGINNING ? "an empty line" : `“${begins}”`}.`);
  if (seen.length < ids.length) {
    remarks.push(`The prompt has ${number(ids.length)} tokens and the model sees ${number(seen.length)}: the first ${number(ids.length - seen.length)} are forgotten.`);
  }
  return { text, ids, seen, remark: remarks.join(" ") };
}

// What is most like an empty line among the characters of a tokenizer of characters.
function beginning({ characters }) {
  if (!characters || characters.includes("\n")) return BEGINNING;
  return characters.includes(" ") ? " " : characters[0];
}

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
