// A vector as a strip of cells, a cell for each number: a number above 0 fills the upper half of its
// cell, one below 0 the lower half, the more strongly the farther from 0.

import { make } from "./token-chips.js";

// How strongly a number is drawn. The square root, as most numbers are small beside the largest.
const tint = (share) => Math.sqrt(Math.abs(share)).toFixed(3);

export const signed = (value) => (value ? `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}` : "0");

// The largest number of these vectors, on whose scale they are drawn.
export const farthest = (vectors) =>
  vectors.reduce((most, vector) => vector.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0) || 1;

export const emptyStrip = () => make("div", { class: "mg-strip", role: "img" });

// label: what a screen reader is told. most: the number that fills a cell wholly.
export function drawStrip(strip, vector, most, label) {
  strip.setAttribute("aria-label", label);
  if (strip.childElementCount !== vector.length) {
    strip.replaceChildren(...Array.from(vector, () => make("span")));
  }
  vector.forEach((value, c) => paintCell(strip.children[c], value / most));
}

export function paintCell(cell, share) {
  cell.style.setProperty("--tint", tint(share));
  cell.classList.toggle("mg-below", share < 0);
}
