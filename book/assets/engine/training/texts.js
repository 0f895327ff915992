// A reader's text as what a model learns from: tokens, a part to be judged by, and in words why a
// text is none.

import { CharTokenizer } from "../char-tokenizer.js";
import { learnTokenizer } from "./learned-merges.js";

const UNSEEN = 0.1;  // of the characters, at the end, as `minigpt train` keeps them apart
const FEWEST_WINDOWS = 2;  // of the part that it is judged by: one would be chance
const ODD = 0.01;  // share of characters that no text has, above which it is none

// A text's characters, and how many of them, from the beginning, are learned from.
export function partsOf(text) {
  const characters = [...text.replace(/\r\n?/g, "\n")];
  return { characters, cut: Math.floor(characters.length * (1 - UNSEEN)) };
}

// text: as the reader gave it. merges: of BPE, or 0 for characters. length: tokens a window.
// Returns {tokenizer, training, validation, characters}: ids of both parts.
export function readText(text, { merges, length }) {
  const { characters, cut } = partsOf(text);
  if (!characters.length) throw new Error("There is no text: paste one, or choose one below");
  const odd = characters.filter((character) => /[\0\uFFFD]/.test(character)).length;
  if (odd > ODD * characters.length) throw new Error("This is no text, or in an encoding other than UTF-8: open it in an editor, and copy it from there");
  const distinct = [...new Set(characters)].sort((a, b) => a.codePointAt() - b.codePointAt());
  if (distinct.length === 1) throw new Error(`The text is one character, “${distinct[0]}”, again and again: there is nothing to guess`);
  const parts = [characters.slice(0, cut), characters.slice(cut)].map((part) => part.join(""));
  const tokenizer = merges ? learnTokenizer(parts[0], merges) : new CharTokenizer(distinct);
  const [training, validation] = parts.map((part) => Int32Array.from(tokenizer.encode(part)));
  const needed = FEWEST_WINDOWS * length + 1;
  if (validation.length < needed || training.length < needed) {
    const enough = Math.ceil(characters.length * needed / Math.max(1, validation.length) / 100) * 100;
    throw new Error(`The text is too short: of its ${characters.length} characters a tenth is kept to judge by, and that is ${validation.length} tokens, where the model needs ${needed}. Give about ${enough} characters, or choose a smaller model`);
  }
  return { tokenizer, training, validation, characters: characters.length };
}

// What counting says, with no model: the loss, in nats per token, of each pair's share in the text.
// A pair that never came has a share too, a small one.
export function lossOfPairs(training, validation, size) {
  const counts = new Float64Array(size * size).fill(1e-3);
  const sums = new Float64Array(size).fill(1e-3 * size);
  for (let i = 1; i < training.length; i++) {
    counts[training[i - 1] * size + training[i]] += 1;
    sums[training[i - 1]] += 1;
  }
  let nats = 0;
  for (let i = 1; i < validation.length; i++) {
    nats += Math.log(sums[validation[i - 1]] / counts[validation[i - 1] * size + validation[i]]);
  }
  return nats / (validation.length - 1);
}
