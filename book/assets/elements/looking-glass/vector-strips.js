// Vectors as strips of cells, a cell for each number, all on one scale: a number above 0 fills the
// upper half of its cell, one below 0 the lower half, the more strongly the farther from 0.

import { make } from "../../parts/token-chips.js";

const LEGEND = [-1, -0.5, -0.1, 0, 0.1, 0.5, 1];  // of the largest number

// How strongly a number is drawn. The square root, as most numbers are small beside the largest.
const tint = (share) => Math.sqrt(Math.abs(share)).toFixed(3);

export class VectorStrips {
  // names: of the vectors.
  constructor(names) {
    this.strips = names.map((name) => ({ name, label: make("p"), cells: make("div", { class: "mg-strip", role: "img" }) }));
    this.legend = make("ul", { class: "mg-strip-legend", "aria-label": "Scale" });
    this.summary = make("summary", { text: "The numbers" });
    this.numbers = make("div", { class: "mg-strip-numbers", role: "region", tabindex: 0, "aria-label": "The numbers" });
    this.fold = make("details", { toggle: () => this.drawNumbers() }, this.summary, this.numbers);
    this.node = make("div", { class: "mg-strips" },
      ...this.strips.flatMap(({ label, cells }) => [label, cells]), this.legend, this.fold);
  }

  // vectors: as many Float32Arrays as names. labels: a sentence above each.
  show(vectors, labels) {
    this.vectors = vectors;
    const most = vectors.flatMap((vector) => [...vector]).reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    this.strips.forEach(({ label, cells }, i) => {
      label.textContent = labels[i];
      cells.setAttribute("aria-label", `${labels[i]} ${vectors[i].length} numbers; the table below has them.`);
      if (cells.childElementCount !== vectors[i].length) {
        cells.replaceChildren(...Array.from(vectors[i], () => make("span")));
      }
      vectors[i].forEach((value, c) => paint(cells.children[c], value / most));
    });
    this.legend.replaceChildren(...LEGEND.map((share) => {
      const sample = make("span", { class: "mg-strip", "aria-hidden": "true" }, make("span"));
      paint(sample.firstChild, share);
      return make("li", {}, sample, signed(share * most));
    }));
    this.drawNumbers();
  }

  drawNumbers() {
    if (!this.fold.open || !this.vectors) return;
    const names = ["number", ...this.strips.map(({ name }) => name)];
    const cell = (value) => make("td", { text: value.toFixed(3).replace("-", "−") });
    this.numbers.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...names.map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...Array.from(this.vectors[0], (_, c) => make("tr", {},
        make("th", { scope: "row", text: c }), ...this.vectors.map((vector) => cell(vector[c])))))));
  }
}

function paint(cell, share) {
  cell.style.setProperty("--tint", tint(share));
  cell.classList.toggle("mg-below", share < 0);
}

const signed = (value) => (value ? `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}` : "0");
