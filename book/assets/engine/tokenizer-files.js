// The tokenizer of a folder as other programs leave it: what minigpt's open_tokenizer takes, in
// the words in which it refuses the rest (minigpt/tokenizer/tokenizer_reading.py). Of the regular
// expressions that cut words, the page knows GPT-2's alone.

import { CharTokenizer } from "./char-tokenizer.js";
import { BYTES } from "./tokenizer-json.js";
import { cutsIntoCharacters, cutsIntoWords, refuseOtherSteps } from "./tokenizer-steps.js";
import { Tokenizer } from "./tokenizer.js";

// contents: of a tokenizer.json.
export function tokenizerOf(contents) {
  const type = contents?.model?.type ?? (contents?.model?.merges ? "BPE" : undefined);  // old files name no type
  if (type === "WordLevel") return charactersOf(contents);
  if (type !== "BPE") {
    throw new Error(`it holds ${type ? `a ${type} tokenizer` : "no tokenizer"}; this page opens byte-level BPE, as GPT-2’s, and the single characters of minigpt: choose a model with one of these`);
  }
  return bpeOf(contents);
}

function charactersOf(contents) {
  refuseOtherSteps(contents, "Fuse");
  const texts = byId(contents.model.vocab);
  if (!cutsIntoCharacters(contents.pre_tokenizer) || contents.added_tokens?.length || texts.some((text) => [...text].length !== 1)) {
    throw new Error("its tokens are words, and not the single characters that minigpt writes: choose a model with those, or with byte-level BPE");
  }
  return new CharTokenizer(texts);
}

function bpeOf(contents) {
  const { model, added_tokens: added = [] } = contents;
  refuseOtherSteps(contents, "ByteLevel");
  const Kind = cutsIntoWords(contents.pre_tokenizer) ? Tokenizer : WholeTextTokenizer;
  for (const { content, special, single_word, lstrip, rstrip } of added) {
    if (!special) throw new Error(`its added token “${content}” is no special one, so that texts would be cut at it; this page cannot`);
    if (single_word || lstrip || rstrip) throw new Error(`its special token “${content}” takes the spaces beside it; this page cannot`);
  }
  const specials = new Map(added.map(({ content, id }) => [content, id]));
  const vocab = { ...model.vocab, ...Object.fromEntries(specials) };
  const texts = byId(vocab);
  // Inside, bytes come first, then what the merges make, then special tokens.
  const inner = new Map([...BYTES].map(([character, byte]) => [character, byte]));
  const idOf = (text, merge) => {
    if (inner.has(text)) return inner.get(text);
    throw new Error(`merge ${merge} joins “${text}”, which no merge before it makes: is the file damaged?`);
  };
  const merges = (model.merges ?? []).flatMap((merge, k) => {
    const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
    const pair = [idOf(left, k), idOf(right, k)];
    if (inner.has(left + right)) throw new Error(`merge ${k} makes “${left}${right}”, as another does: is the file damaged?`);
    inner.set(left + right, 256 + k);
    return pair;
  });
  for (const text of inner.keys()) {
    if (!(text in vocab) || specials.has(text)) throw new Error(`“${text}” is a byte, or made by a merge, and not in its vocabulary: is the file damaged?`);
  }
  const odd = texts.find((text) => !inner.has(text) && !specials.has(text));
  if (odd !== undefined) throw new Error(`token ${vocab[odd]}, “${odd}”, is no byte, no merge makes it, and it is no special token: were the merges cut short?`);
  const special = [...specials.keys()];
  const bpe = new Kind({ alphabet: [...Array(256).keys()], merges, special });
  return new RenumberedTokenizer(bpe, [...inner.keys(), ...special].map((text) => vocab[text]), inner);
}

// The tokens in the order of their ids, if these are the numbers from 0 on.
function byId(vocab) {
  const entries = Object.entries(vocab ?? {});
  if (!entries.length) throw new Error("its vocabulary is empty: is the file damaged?");
  const texts = new Array(entries.length);
  for (const [text, id] of entries) {
    if (!(Number.isInteger(id) && id >= 0 && id < texts.length)) throw new Error(`token “${text}” has the id ${id}, and its ${texts.length} tokens need those from 0 to ${texts.length - 1}: is the file damaged?`);
    if (texts[id] !== undefined) throw new Error(`tokens “${texts[id]}” and “${text}” both have the id ${id}: is the file damaged?`);
    texts[id] = text;
  }
  return texts;
}

// A text without words: merges may cross spaces.
class WholeTextTokenizer extends Tokenizer {
  pieces(text) { return text ? [text] : []; }
}

// A tokenizer whose ids are those of its file.
class RenumberedTokenizer {
  // ids[i]: the file's id of token i inside.
  constructor(inside, ids) {
    Object.assign(this, { inside, ids, size: inside.size });
    this.places = new Map(ids.map((id, i) => [id, i]));
    this.end = inside.end === undefined ? undefined : ids[inside.end];
  }

  encode(text) { return this.inside.encode(text).map((i) => this.ids[i]); }
  tokenBytes(id) { return this.inside.tokenBytes(this.places.get(id)); }
  decode(ids) { return this.inside.decode(ids.map((id) => this.places.get(id))); }
}
