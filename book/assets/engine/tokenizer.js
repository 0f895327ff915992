// Byte-level byte-pair encoding (BPE), as in GPT-2 and as in minigpt/tokenizer/bpe_tokenizer.py.
//
// A text becomes ids in three steps:
//   1. split it into pieces (words, numbers, runs of punctuation, runs of space);
//   2. spell every piece as UTF-8 bytes, each of which is one of the first 256 tokens;
//   3. in every piece, merge the neighbouring pair whose merge was learned first,
//      and again, until no neighbouring pair was ever learned.
// The k-th merge makes token 256 + k, so "learned first" is also "smallest id".

import { fetchedJson } from "./fetched.js";
import { LETTERS, NUMBERS, SPACES } from "./letters.js";

// GPT-2's pre-split, by the package's letters and not the browser's.
const PIECE = new RegExp(
  `'(?:[sdmt]|ll|ve|re)| ?[${LETTERS}]+| ?[${NUMBERS}]+| ?[^${SPACES}${LETTERS}${NUMBERS}]+`
  + `|[${SPACES}]+(?![^${SPACES}])|[${SPACES}]+`, "gu");

export const END = "<|endoftext|>";

const CACHED_PIECES = 20_000;  // forget what was encoded after so many different pieces
const CACHED_LENGTH = 40;      // longer pieces rarely come back
const SHIFT = 2 ** 32;         // a rank and a position share one number: rank * SHIFT + position

export class Tokenizer {
  // alphabet: 256 byte values in id order. merges: [left0, right0, left1, right1, …], flat.
  // special: names of the tokens after the last merge; typed text never becomes one of them.
  constructor({ alphabet, merges, special = [] }) {
    this.alphabet = alphabet;
    this.merges = merges;
    this.special = special;
    this.mergeCount = merges.length / 2;
    this.size = 256 + this.mergeCount + special.length;
    this.byteToId = new Uint16Array(256);
    alphabet.forEach((byte, id) => { this.byteToId[byte] = id; });
    this.ranks = new Map();
    for (let k = 0; k < this.mergeCount; k++) {
      this.ranks.set(merges[2 * k] * this.size + merges[2 * k + 1], k);
    }
    this.cache = new Map();
  }

  // The id of the token that ends a text, where there is one.
  get end() {
    const at = this.special.indexOf(END);
    return at < 0 ? undefined : this.size - this.special.length + at;
  }

  // The rank of a pair: 0 was learned first; undefined was never learned.
  rank(left, right) {
    return this.ranks.get(left * this.size + right);
  }

  // Step 1. Half of a surrogate pair (JavaScript allows it in a string) is no character
  // and has no bytes: it becomes U+FFFD, the replacement character, here and in TextEncoder.
  pieces(text) {
    return text.replace(/[\uD800-\uDFFF]/gu, "\uFFFD").match(PIECE) ?? [];
  }

  // Step 2.
  symbols(piece) {
    return Array.from(new TextEncoder().encode(piece), (byte) => this.byteToId[byte]);
  }

  encode(text) {
    const ids = [];
    for (const piece of this.pieces(text)) {
      for (const id of this.encodePiece(piece)) ids.push(id);
    }
    return ids;
  }

  encodePiece(piece) {
    const known = this.cache.get(piece);
    if (known) return known;
    const ids = this.mergeAll(this.symbols(piece));
    if (piece.length <= CACHED_LENGTH) {
      if (this.cache.size >= CACHED_PIECES) this.cache.clear();
      this.cache.set(piece, ids);
    }
    return ids;
  }

  // Step 3, made quick. Looking at every pair again after every merge takes n × n steps, a
  // second and more for 50,000 letters without a space. Here the symbols form a linked list
  // and the pairs wait in a heap, so that one merge looks at its two new neighbours only.
  mergeAll(ids) {
    const end = ids.length;
    const previous = Int32Array.from(ids, (_, i) => i - 1);
    const next = Int32Array.from(ids, (_, i) => i + 1);
    const waiting = new Heap();
    const offer = (i) => {
      if (i < 0 || next[i] >= end) return;
      const rank = this.rank(ids[i], ids[next[i]]);
      if (rank !== undefined) waiting.push(rank * SHIFT + i);
    };
    for (let i = 0; i < end; i++) offer(i);
    while (waiting.size > 0) {
      const lowest = waiting.pop();
      const i = lowest % SHIFT;
      const rank = (lowest - i) / SHIFT;
      const j = next[i];
      // An earlier merge may have eaten either half since this pair was offered.
      if (j >= end || this.rank(ids[i], ids[j]) !== rank) continue;
      ids[i] = 256 + rank;
      ids[j] = -1;
      next[i] = next[j];
      if (next[j] < end) previous[next[j]] = i;
      offer(previous[i]);
      offer(i);
    }
    return ids.filter((id) => id >= 0);
  }

  // Step 3, made plain: one state per merge, as a person would do it on paper. `ranks` has one
  // entry for each neighbouring pair; in the last state no pair is left to merge.
  * steps(piece) {
    let symbols = this.symbols(piece);
    for (;;) {
      const ranks = symbols.slice(1).map((right, i) => this.rank(symbols[i], right));
      const rank = Math.min(...ranks.filter((r) => r !== undefined));
      if (rank === Infinity) {
        yield { symbols, ranks, pair: undefined, rank: undefined, id: undefined };
        return;
      }
      const pair = [this.merges[2 * rank], this.merges[2 * rank + 1]];
      yield { symbols, ranks, pair, rank, id: 256 + rank };
      symbols = mergePair(symbols, pair, 256 + rank);
    }
  }

  // A token is one byte or two smaller tokens: follow the merges back down.
  tokenBytes(id) {
    if (!Number.isInteger(id) || id < 0 || id >= this.size) {
      throw new RangeError(`token id ${id} is not between 0 and ${this.size - 1}`);
    }
    if (id < 256) return Uint8Array.of(this.alphabet[id]);
    const k = id - 256;
    if (k >= this.mergeCount) return new TextEncoder().encode(this.special[k - this.mergeCount]);
    return Uint8Array.of(...this.tokenBytes(this.merges[2 * k]),
                         ...this.tokenBytes(this.merges[2 * k + 1]));
  }

  // Bytes first, characters last: one character may be spread over several tokens.
  // ignoreBOM keeps a leading U+FEFF, which TextDecoder would drop.
  decode(ids) {
    const bytes = ids.flatMap((id) => Array.from(this.tokenBytes(id)));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }
}

// Replace every (left, right) by id, from left to right.
export function mergePair(symbols, [left, right], id) {
  const merged = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      merged.push(id);
      i++;
    } else {
      merged.push(symbols[i]);
    }
  }
  return merged;
}

// A binary heap of numbers: the smallest is always at the top.
class Heap {
  items = [];

  get size() { return this.items.length; }

  push(item) {
    let i = this.items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.items[parent] <= item) break;
      this.items[i] = this.items[parent];
      i = parent;
    }
    this.items[i] = item;
  }

  pop() {
    const top = this.items[0];
    const item = this.items.pop();
    if (this.items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child + 1 < this.items.length && this.items[child + 1] < this.items[child]) child++;
      if (child >= this.items.length || this.items[child] >= item) break;
      this.items[i] = this.items[child];
      i = child;
    }
    this.items[i] = item;
    return top;
  }
}

// Fetch a vocabulary file once, however many parts of the page ask for it.
const loading = new Map();

export function loadTokenizer(url) {
  const key = String(url);
  if (!loading.has(key)) {
    const promise = fetchTokenizer(key);
    loading.set(key, promise);
    promise.catch(() => loading.delete(key));  // so that a second attempt asks again
  }
  return loading.get(key);
}

async function fetchTokenizer(url) {
  return new Tokenizer(await fetchedJson(url));
}
