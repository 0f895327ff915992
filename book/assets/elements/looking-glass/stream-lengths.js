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
    const largest = rows.filter(({ adds }) => adds).reduce((a, b) => (b.length > a.length ? b : a));
    this.said.textContent = `The vector of ${name} goes in with a length of ${norms[0][t].toFixed(2)} and comes out with `
      + `${norms.at(-1)[t].toFixed(2)}. The most comes where ${largest.text}: ${largest.length.toFixed(2)}. `
      + "Lengths do not add up, as vectors point in different directions.";
  }
}
