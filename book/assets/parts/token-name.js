// A token in a sentence: without the space before it, as that would be a mark there.

import { spelled } from "./token-chips.js";

export function tokenName(bytes) {
  return spelled(bytes[0] === 32 && bytes.length > 1 ? bytes.subarray(1) : bytes);
}

// The token at a place of a text, which it may have twice.
export function tokenAt(tokenizer, ids, t) {
  return `“${tokenName(tokenizer.tokenBytes(ids[t]))}” (token ${t + 1})`;
}
