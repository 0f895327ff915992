// A token's probability before and after sampling's steps, as a number and as bars.

import { make, number } from "./token-chips.js";

const ENDS = [0.1, 0.2, 0.5, 1];  // where the scale of the bars may end

export const decimals = (p) => (p > 0 && p < 0.0005 ? "<\u00a00.001" : p.toFixed(3));
export const axisEnd = (most) => ENDS.find((end) => end >= most) ?? 1;
export const axisMarks = (end) => [0, end / 2, end].map((x) => make("span", { text: String(x) }));
export const along = (probability, end) => `${(100 * Math.min(probability / end, 1)).toFixed(2)}%`;

// {track, after, own, share}: the bars and the track that they lie in.
export function bars() {
  const parts = Object.fromEntries(["after", "own", "share"].map((name) => [name, make("span", { class: `mg-${name}` })]));
  return { ...parts, track: make("span", { class: "mg-track", "aria-hidden": "true" }, ...Object.values(parts)) };
}

// What the bars mean: [class of the bar, words, whether the token is ruled out] of each.
export function legend(entries) {
  return make("ul", { class: "mg-key", "aria-label": "Legend" }, ...entries.map(([bar, text, removed]) =>
    make("li", { class: removed ? "mg-removed" : null },
      make("span", { class: "mg-track mg-sample", "aria-hidden": "true" }, make("span", { class: bar })), text)));
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

// How many of these tokens the steps kept, in words.
export function leftOf(ids, removedBy) {
  const kept = ids.filter((id) => !removedBy[id]).length;
  return kept === ids.length ? "all kept" : kept ? `${number(kept)} kept` : "all out";
}
