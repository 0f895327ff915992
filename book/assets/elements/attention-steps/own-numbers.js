// The numbers behind the strips, as a table behind a fold.

import { make } from "../../parts/token-chips.js";

export class OwnNumbers {
  constructor() {
    this.summary = make("summary");
    this.box = make("div", { class: "mg-own-numbers", role: "region", tabindex: 0 });
    this.node = make("details", { toggle: () => this.draw() }, this.summary, this.box);
  }

  // columns: {name, vector}.
  show(columns, title) {
    this.columns = columns;
    this.summary.textContent = title;
    this.box.setAttribute("aria-label", title);
    this.draw();
  }

  draw() {
    if (!this.node.open) return;
    this.box.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...["number", ...this.columns.map(({ name }) => name)].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...Array.from(this.columns[0].vector, (_, d) => make("tr", {}, make("th", { scope: "row", text: d + 1 }),
        ...this.columns.map(({ vector }) => make("td", { text: vector[d].toFixed(3).replace("-", "−") })))))));
  }
}
