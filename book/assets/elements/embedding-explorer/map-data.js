// What the map holds: every token, where it stands before and after training, and its neighbours.
// The numbers are computed by book/_ext/site/model_files.py.

import { fetchedBytes } from "../../engine/fetched.js";
import { readSafetensors } from "../../engine/safetensors.js";
import { loadVocabulary, spelled } from "../../parts/token-chips.js";
import { kindOf, KINDS, NOT_TEXT } from "./token-kinds.js";

const FILE = new URL("../../models/token-map.safetensors", import.meta.url);
const WHOLE = 32767;      // a cosine of 1 in the file
const SUGGESTIONS = 8;
export const WHENS = { before: "Before training", after: "After training" };

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// What the reader sees as a mark, typed as what it stands for.
export const unmarked = (text) => text.replaceAll("·", " ").replaceAll("↵", "\n");

export async function fetchMap() {
  const [tokenizer, file] = await Promise.all([
    loadVocabulary("shakespeare"), fetchedBytes(FILE),
  ]);
  return new TokenMap(tokenizer, readSafetensors(file));
}

class TokenMap {
  constructor(tokenizer, tensors) {
    this.tokenizer = tokenizer;
    this.tables = {};
    for (const when of Object.keys(WHENS)) {
      const part = (name) => tensors[`${when}.${name}`].data;
      const [scale] = part("scale");
      this.tables[when] = {
        places: Float32Array.from(part("coordinates"), (x) => x * scale),
        shares: part("shares"), ids: part("neighbours"), cosines: part("cosines"),
      };
    }
    const [rows, near] = tensors["after.neighbours"].shape;
    if (rows !== tokenizer.size) throw new Error(`the map has ${rows} tokens, the vocabulary ${tokenizer.size}`);
    this.near = near;
    this.tokens = Array.from({ length: rows }, (_, id) => {
      const bytes = tokenizer.tokenBytes(id);
      let text;
      try { text = strict.decode(bytes); } catch { /* a part of a character */ }
      if (tokenizer.special.includes(text)) text = undefined;
      const kind = kindOf(text);
      const shown = spelled(bytes);
      return { id, text: kind === NOT_TEXT ? shown : text, shown, kind };
    });
    this.worthALabel = this.familiar();
  }

  // Ids whose labels help most: whole words and signs, the frequent ones (small ids) first, of
  // every kind in turn.
  familiar() {
    const queues = KINDS.slice(0, NOT_TEXT).map((_, kind) => this.tokens.filter((token) =>
      token.kind === kind && (token.id < 256 ? /^[^\p{L}]$/u : /\p{L}{3}/u).test(token.text)));
    const longest = Math.max(...queues.map((queue) => queue.length));
    return Array.from({ length: longest }, (_, i) => queues.map((queue) => queue[i]?.id)).flat().filter((id) => id !== undefined);
  }

  // The token with a text, or the first of the first kind.
  find(wanted) {
    return (this.tokens.find(({ text }) => text === wanted) ?? this.tokens.find(({ kind }) => kind === 0)).id;
  }

  name(id) { return `“${this.tokens[id].shown}”`; }

  place(id, when) {
    return [...this.tables[when].places.subarray(2 * id, 2 * id + 2)];
  }

  neighbours(id, when) {
    const { ids, cosines } = this.tables[when];
    return Array.from({ length: this.near }, (_, i) => ({
      id: ids[id * this.near + i], cosine: cosines[id * this.near + i] / WHOLE,
    }));
  }

  // Ids, the best first: the word with its space, as most words are met, the same text, the same
  // without a space, in other letters, its beginning, anywhere inside. The shorter goes before the
  // longer, then the smaller id.
  search(query) {
    const wanted = /^#(\d+)$/.exec(query);
    if (wanted) return wanted[1] in this.tokens ? [Number(wanted[1])] : [];
    const bare = query.replace(/^ /, "");
    const lower = bare.toLowerCase();
    const found = [];
    for (const { id, text, kind } of this.tokens) {
      const inside = text.replace(/^ (?=.)/, "");
      const folded = inside.toLowerCase();
      const rank = text === ` ${query}` ? -1 : text === query ? 0
        : kind === NOT_TEXT && !text.startsWith(query) ? 6  // <|endoftext|> holds letters
        : inside === bare ? 1 : folded === lower ? 2 : inside.startsWith(bare) ? 3
        : folded.startsWith(lower) ? 4 : folded.includes(lower) ? 5 : 6;
      if (rank < 6) found.push({ id, rank, length: inside.length });
    }
    found.sort((a, b) => a.rank - b.rank || a.length - b.length || a.id - b.id);
    return found.slice(0, SUGGESTIONS).map(({ id }) => id);
  }

  // Why nothing was found.
  explain(query) {
    if (/^#\d+$/.test(query)) return `There is no ${query}: ids run from 0 to ${this.tokens.length - 1}.`;
    const parts = this.tokenizer.encode(query).map((id) => this.name(id));
    const written = parts.length > 12 ? [...parts.slice(0, 12), "…"] : parts;
    return `No token contains that text. The tokenizer spells it with ${parts.length}: ${written.join(" ")}.`;
  }
}
