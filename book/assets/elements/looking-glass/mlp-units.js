// The strongest hidden units of one block's MLP, and the tokens that each speaks for.

import { chipText, make } from "../../parts/token-chips.js";

export class MlpUnits {
  drawn = Promise.resolve();  // resolves when the tokens of the newest choice are there

  // choose: told a block, from 0.
  constructor(blocks, choose) {
    this.buttons = Array.from({ length: blocks }, (_, i) => make("button", {
      type: "button", class: "mg-button", text: i + 1, "aria-label": `Block ${i + 1}`, click: () => choose(i),
    }));
    this.caption = make("caption");
    this.body = make("tbody");
    this.said = make("p", { class: "mg-units-said" });
    this.node = make("div", { class: "mg-inside" },
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Block" },
        make("span", { class: "mg-label", "aria-hidden": "true", text: "Block" }), ...this.buttons),
      make("table", { class: "mg-units" }, this.caption,
        make("thead", {}, make("tr", {}, ...["unit", "after GELU", "speaks for"].map((text) => make("th", { scope: "col", text })))),
        this.body),
      this.said);
  }

  // name: of token t.
  show({ trace, tokenizer, model }, t, layer, name) {
    const units = trace.units[layer][t];
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === layer)));
    this.caption.textContent = `MLP ${layer + 1} at ${name}: its five strongest hidden units.`;
    const cells = units.map(() => make("td", { text: "…" }));
    this.body.replaceChildren(...units.map(({ unit, activation }, i) => make("tr", {},
      make("th", { scope: "row", text: unit }), make("td", { text: activation.toFixed(2) }), cells[i])));
    const [first, ...others] = units;
    this.said.textContent = "Read each row as a word or two that the unit puts in: have its tokens something in common? In the first "
      + "blocks they seldom have, as later blocks go on from what was written there; in the last ones they have more often. "
      + `Unit ${first.unit} is the strongest here, ${(first.activation / others.at(-1).activation).toFixed(1)} times as strong as the fifth.`;
    this.drawn = this.fill(cells, model, layer, units.map(({ unit }) => unit), tokenizer);
  }

  // Cells of an older choice are no longer in the page; filling them does no harm.
  async fill(cells, model, layer, units, tokenizer) {
    const tokens = await model.unitTokens(layer, units);
    cells.forEach((cell, i) => cell.replaceChildren(...tokens[i].flatMap((id) =>
      [make("span", { class: "mg-unit-token", "data-id": id }, chipText(tokenizer.tokenBytes(id))), " "])));
  }
}
