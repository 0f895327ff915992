// The numbers behind an attention map, as a table behind a fold.

import { make } from "./token-chips.js";

export class WeightTable {
  // explorer: the element, whose newest choice is written.
  constructor(explorer) {
    this.explorer = explorer;
    this.numbers = make("div", { class: "mg-numbers", role: "region", tabindex: 0 });
    this.node = make("details", { class: "mg-explorer-numbers", toggle: () => this.draw() },
      make("summary"), this.numbers);
  }

  name(text) {
    this.node.firstChild.textContent = text;
    this.numbers.setAttribute("aria-label", text);
  }

  draw() {
    const { explorer, explorer: { bytes } } = this;
    if (!this.node.open || !bytes.length) return;
    const name = (i) => `${i + 1} ${explorer.named(i)}`;
    const head = bytes.map((_, i) => make("th", { scope: "col", text: name(i) }));
    this.numbers.replaceChildren(make("table", {},
      make("caption", { text: "Rows look, columns are looked at. Every row sums to 1." }),
      make("thead", {}, make("tr", {}, make("td"), ...head)),
      make("tbody", {}, ...bytes.map((_, query) => make("tr", {},
        make("th", { scope: "row", text: name(query) }),
        ...bytes.map((_, key) => make("td", { text: key > query ? "" : explorer.weight(query, key).toFixed(2) })))))));
  }
}
