// Kinds of tokens, told apart by hue and by shape (a path within about 1 of the middle).

// A token is of the first kind that its text matches. Single bytes of longer characters, control
// characters and the end of a text are not text.
export const KINDS = [
  { name: "lower case", hue: 1, test: /^ \p{Ll}/u, shape: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z" },
  { name: "CAPITALS", hue: 3, test: /^\p{Lu}+$|^ \p{Lu}{2,}$/u, shape: "M-.9-.9H.9V.9H-.9Z" },
  { name: "Capitalised", hue: 2, test: /^ ?\p{Lu}/u, shape: "M0-1.2L1.15.85H-1.15Z" },
  { name: "no space", hue: 4, test: /^'?\p{Ll}/u, shape: "M0-1.3L1.3 0L0 1.3L-1.3 0Z" },
  { name: "signs", hue: 7, test: /^[^\p{C}]+$|^[\n\t ]+$/u, shape: "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z" },
  { name: "not text", hue: 8, test: /^/, shape: "M0-.5L.6-1.1L1.1-.6L.5 0L1.1.6L.6 1.1L0 .5L-.6 1.1L-1.1.6L-.5 0L-1.1-.6L-.6-1.1Z" },
];

export const NOT_TEXT = KINDS.length - 1;

// The number of a text's kind.
export const kindOf = (text) => (text === undefined ? NOT_TEXT : KINDS.findIndex(({ test }) => test.test(text)));

export function shapeOf({ hue, shape }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape);
  path.style.fill = `var(--mg-hue-${hue})`;
  svg.append(path);
  return svg;
}
