// The lengths of a token's vector on its way through the blocks, and of what each block adds.

import { make } from "../../parts/token-chips.js";

export class StreamLengths {
  constructor() {
    this.body = make("tbody");
    this.said = make("p", { class: "mg-stream-said" });
    this.node = make("div", { class: "mg-stream" },
      make("table", {},
        make("caption", { text: "Lengths: filled bars are the vector’s own, framed ones what is added to it." }),
        this.body),
      this.said);
  }

  // norms[place][t] and added[layer] {attention, mlp} as in gpt-trace.js; t: the token.
  show({ norms, added }, t, name) {
    const rows = [{ text: "after the tables", length: norms[0][t] }];
    added.forEach(({ attention, mlp }, layer) => rows.push(
      { text: `attention ${layer + 1} adds`, length: attention[t], adds: true },
      { text: `MLP ${layer + 1} adds`, length: mlp[t], adds: true },
      { text: `after block ${layer + 1}`, length: norms[layer + 1][t] }));
    const most = rows.reduce((longest, row) => (row.length > longest.length ? row : longest)).length;
    this.body.replaceChildren(...rows.map(({ text, length, adds }) => make("tr", { class: adds && "mg-adds" },
      make("th", { scope: "row", text }),
      make("td", { text: length.toFixed(2) }),
      make("td", { class: "mg-stream-track" }, make("span", { style: `width: ${(100 * length / most).toFixed(2)}%` })))));
    this.said.textContent = `The vector of ${name} goes in with a length of ${norms[0][t].toFixed(2)} and comes out with `
      + `${norms.at(-1)[t].toFixed(2)}. ${standsOut(norms, added, t)} `
      + "Lengths do not add up, as vectors point in different directions.";
  }
}

// What is largest beside the vector that it is added to, and what that means.
function standsOut(norms, added, t) {
  const all = added.flatMap((block, layer) => Object.entries({ attention: "attention", mlp: "MLP" }).map(([part, word]) => ({
    text: `${word} ${layer + 1} adds`, layer, length: block[part][t], before: norms[layer][t],
  })));
  const { text, layer, length, before } = all.reduce((a, b) => (b.length / b.before > a.length / a.before ? b : a));
  const told = `What stands out: ${text} ${length.toFixed(2)} to a vector that came in with ${before.toFixed(2)}, `
    + `${(length / before).toFixed(1)} times as much.`;
  if (length < 2 * before) return told;
  return `${told} ${layer ? `So block ${layer + 1} all but replaces what came in` : "So the first block all but replaces the sum of the two tables"} `
    + "by something larger, computed from it. That does no harm: whatever reads the vector later takes it through a norm, "
    + "which keeps its direction and drops its length.";
}
