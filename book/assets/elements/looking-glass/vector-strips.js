// Vectors as strips, all on one scale, with the scale and, behind a fold, the numbers.

import { drawStrip, emptyStrip, farthest, paintCell, signed } from "../../parts/cell-strip.js";
import { make } from "../../parts/token-chips.js";

const LEGEND = [-1, -0.5, -0.1, 0, 0.1, 0.5, 1];  // of the largest number

export class VectorStrips {
  // names: of the vectors. title: of the fold with their numbers.
  constructor(names, title) {
    this.strips = names.map((name) => ({ name, label: make("p"), cells: emptyStrip() }));
    this.legend = make("ul", { class: "mg-strip-legend", "aria-label": "Scale" });
    this.summary = make("summary", { text: title });
    this.numbers = make("div", { class: "mg-strip-numbers", role: "region", tabindex: 0, "aria-label": title });
    this.fold = make("details", { toggle: () => this.drawNumbers() }, this.summary, this.numbers);
    this.node = make("div", { class: "mg-strips" },
      ...this.strips.flatMap(({ label, cells }) => [label, cells]), this.legend, this.fold);
  }

  // vectors: as many arrays as names; the last ones may be missing. labels: a sentence above each.
  show(vectors, labels) {
    this.vectors = vectors;
    const most = farthest(vectors);
    this.strips.forEach(({ label, cells }, i) => {
      label.hidden = cells.hidden = i >= vectors.length;
      if (label.hidden) return;
      label.textContent = labels[i];
      drawStrip(cells, vectors[i], most, `${labels[i]} ${vectors[i].length} numbers; the table below has them.`);
    });
    this.legend.replaceChildren(...LEGEND.map((share) => {
      const sample = make("span", { class: "mg-strip", "aria-hidden": "true" }, make("span"));
      paintCell(sample.firstChild, share);
      return make("li", {}, sample, signed(share * most));
    }));
    this.drawNumbers();
  }

  drawNumbers() {
    if (!this.fold.open || !this.vectors) return;
    const names = ["number", ...this.strips.slice(0, this.vectors.length).map(({ name }) => name)];
    const cell = (value) => make("td", { text: value.toFixed(3).replace("-", "−") });
    this.numbers.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...names.map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...Array.from(this.vectors[0], (_, c) => make("tr", {},
        make("th", { scope: "row", text: c }), ...this.vectors.map((vector) => cell(vector[c])))))));
  }
}
