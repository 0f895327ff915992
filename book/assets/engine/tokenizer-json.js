// Reads tokenizer.json, the file in which tokenizers are stored (minigpt/tokenizer/tokenizer_json.py).

import { Tokenizer } from "./tokenizer.js";

// JSON holds text and tokens are bytes, so each byte is written as one visible character: one
// that is visible in Latin-1 stands for itself, the other 68 follow from U+0100 on.
export const isVisible = (byte) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
export const BYTES = new Map();
for (let byte = 0, hidden = 0; byte < 256; byte++) {
  BYTES.set(isVisible(byte) ? String.fromCharCode(byte) : String.fromCharCode(0x100 + hidden++), byte);
}

// contents: what JSON.parse made of the file. Returns a Tokenizer.
export function fromTokenizerJson({ model, added_tokens = [] }) {
  const wrong = (what) => new Error(`not a tokenizer.json of byte-level BPE: ${what}`);
  if (!model?.merges || !model.vocab) throw wrong("it has no merges");
  const ids = new Map(Object.entries(model.vocab));
  const idOf = (token) => {
    if (ids.has(token)) return ids.get(token);
    throw wrong(`“${token}” is in its merges and not in its vocabulary`);
  };
  const alphabet = new Array(256);
  for (const [character, byte] of BYTES) alphabet[idOf(character)] = byte;
  if (Object.keys(alphabet).length !== 256 || alphabet.length !== 256) throw wrong("its first 256 tokens are not the bytes");
  const merges = model.merges.flatMap((merge, k) => {
    const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
    if (idOf(left + right) !== 256 + k) throw wrong(`merge ${k} does not make token ${256 + k}`);
    return [idOf(left), idOf(right)];
  });
  const special = [...added_tokens].sort((a, b) => a.id - b.id).map(({ id, content }, i) => {
    if (id !== 256 + model.merges.length + i) throw wrong(`“${content}” is not after the last merge`);
    return content;
  });
  return new Tokenizer({ alphabet, merges, special });
}
