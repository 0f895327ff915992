// Byte-pair encoding learned from a text, as in minigpt/tokenizer/merges.py: the most frequent pair
// of neighbours is merged, again and again, in the distinct pieces of the text. Among equally
// frequent pairs the first in GPT-2's order of the bytes wins, so that both learn the same merges.

import { isVisible } from "../tokenizer-json.js";
import { mergePair, Tokenizer } from "../tokenizer.js";

const ALPHABET = Array.from({ length: 256 }, (_, byte) => byte);
const PLACES = new Map([...ALPHABET.filter(isVisible), ...ALPHABET.filter((byte) => !isVisible(byte))].map((byte, i) => [byte, i]));
const SHIFT = 65536;  // a pair is one number

const place = (id) => PLACES.get(id) ?? id;
const isBefore = (a, b) => {
  const [left, other] = [place(Math.floor(a / SHIFT)), place(Math.floor(b / SHIFT))];
  return left < other || (left === other && place(a % SHIFT) < place(b % SHIFT));
};

// merges: how many; fewer where every piece is one token before.
export function learnTokenizer(text, merges) {
  const plain = new Tokenizer({ alphabet: ALPHABET, merges: [] });
  const counts = new Map();
  for (const piece of plain.pieces(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const words = [...counts].map(([piece, times]) => ({ ids: plain.symbols(piece), times }));
  const learned = [];
  for (let rank = 0; rank < merges; rank++) {
    const pairs = new Map();
    for (const { ids, times } of words) {
      for (let i = 1; i < ids.length; i++) {
        const pair = ids[i - 1] * SHIFT + ids[i];
        pairs.set(pair, (pairs.get(pair) ?? 0) + times);
      }
    }
    let [best, most] = [undefined, 0];
    for (const [pair, count] of pairs) {
      if (count > most || (count === most && isBefore(pair, best))) [best, most] = [pair, count];
    }
    if (best === undefined) break;
    const pair = [Math.floor(best / SHIFT), best % SHIFT];
    learned.push(...pair);
    for (const word of words) word.ids = mergePair(word.ids, pair, 256 + rank);
  }
  return new Tokenizer({ alphabet: ALPHABET, merges: learned });
}
