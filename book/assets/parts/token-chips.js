// What the page's elements share: which vocabularies there are, how an element is made, and how
// a token looks.

import { loadTokenizer } from "../engine/tokenizer.js";

export const VOCABULARIES = {
  gpt2: {
    short: "GPT-2",
    title: "GPT-2 (50,257 tokens)",
    owner: "GPT-2’s",
    file: new URL("../tokenizers/gpt2.json", import.meta.url),
    weight: "190 kB",
  },
  shakespeare: {
    short: "Our tokenizer",
    title: "Ours, trained on Shakespeare (4,096 tokens)",
    owner: "our",
    file: new URL("../tokenizers/shakespeare.json", import.meta.url),
    weight: "14 kB",
  },
};

export function loadVocabulary(name) {
  return loadTokenizer(VOCABULARIES[name].file);
}

// make("p", {class: "note", text: "…"}, child, …): an element in one line. A function as a
// value is an event listener; null, undefined and false leave the attribute out.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

// Thousands apart, as in 50,257.
export const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

const MARKS = new Map([[" ", "·"], ["\n", "↵"], ["\t", "→"], ["\r", "␍"]]);
const INVISIBLE = /[\p{White_Space}\p{Control}\p{Format}\p{Surrogate}\p{Unassigned}\p{Private_Use}]/u;
const COMBINING = /\p{Mark}/u;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Bytes as a list of {kind, text}: "text" for characters, "mark" for the stand-in of an
// invisible one (a space is ·), "byte" for a byte that is only a part of a character (\xec).
export function spell(bytes) {
  const parts = [];
  const add = (kind, text) => {
    const last = parts.at(-1);
    if (kind === "text" && last?.kind === "text") last.text += text;
    else parts.push({ kind, text });
  };
  for (let i = 0; i < bytes.length;) {
    const length = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
    let character;
    try {
      if (i + length <= bytes.length) character = strict.decode(bytes.subarray(i, i + length));
    } catch { /* not UTF-8: shown as a byte below */ }
    if (character === undefined) {
      add("byte", `\\x${bytes[i].toString(16).padStart(2, "0")}`);
      i += 1;
      continue;
    }
    const code = character.codePointAt(0);
    if (MARKS.has(character)) add("mark", MARKS.get(character));
    else if (INVISIBLE.test(character)) add("mark", `U+${code.toString(16).toUpperCase().padStart(4, "0")}`);
    else if (COMBINING.test(character) && parts.at(-1)?.kind !== "text") add("text", `◌${character}`);
    else add("text", character);
    i += length;
  }
  return parts;
}

export const spelled = (bytes) => spell(bytes).map((part) => part.text).join("");

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");

// A token's text in a chip, isolated so that right-to-left text inside cannot reorder its neighbours.
export function chipText(bytes) {
  return make("bdi", { class: "mg-chip-text" }, ...spell(bytes).map(({ kind, text }) =>
    (kind === "text" ? text : make("span", { class: `mg-${kind}`, text }))));
}

// The inside of a chip: the token's text, and the id below it.
export function fillChip(chip, id, bytes) {
  chip.classList.add("mg-chip", `mg-token-${id % 6}`);
  chip.dataset.id = id;
  chip.append(chipText(bytes), make("span", { class: "mg-chip-id", text: id }));
  return chip;
}
