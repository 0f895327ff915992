// The steps for one token of a sentence of any length and with vectors of any width: the vectors as
// strips, the tokens that weigh most in a row each, the others summed up in one more.

import { drawStrip, emptyStrip, farthest, signed } from "../../parts/cell-strip.js";
import { count, make } from "../../parts/token-chips.js";
import { attentionByHand } from "./attention-by-hand.js";
import { OwnNumbers } from "./own-numbers.js";
import { ownRows } from "./own-rows.js";
import { lineOf, sentence } from "./sentences.js";
import { StepBar } from "./step-bar.js";
import { isTiny, namedSteps } from "./steps.js";
import { Switches } from "./switches.js";
import { products, shown } from "./words.js";

const WRITTEN = 3;  // products of a sum that are written out

export class OwnSteps {
  constructor() {
    this.title = make("p", { class: "mg-title" });
    this.bar = new StepBar(() => this.render());
    this.status = make("div", { class: "mg-working", role: "status" });
    this.table = make("table", { class: "mg-own" });
    this.scale = make("p", { class: "mg-legend" });
    this.numbers = new OwnNumbers();
    this.options = make("div", { class: "mg-options" });
    this.node = make("div", {}, this.title, this.bar.node, this.status, this.table, this.scale, this.numbers.node, this.options);
  }

  // title: whose steps; names: of T tokens; q, k and v: T arrays of D numbers; asking: a token.
  show({ title, names, q, k, v, asking }) {
    const D = q[0].length;
    if (this.width !== D) {
      this.width = D;
      this.switches = new Switches(D, () => this.render());
      this.options.replaceChildren(...this.switches.labels);
    }
    Object.assign(this, { names, q, k, v, asking });
    this.title.textContent = title;
    this.render();
  }

  render() {
    const { q, k, v, names, asking, bar: { at }, switches: { on } } = this;
    const steps = namedSteps(on);
    this.bar.draw(steps[at].title);
    this.result = attentionByHand(q, k, v, on);
    this.rows = ownRows(this.result, asking, names, on.mask);
    this.last = at === steps.length - 1;
    this.drawTable(steps, at);
    const [first, ...lines] = this.describe(steps[at].key);
    if (this.status.textContent === [first, ...lines].join("")) return;  // nothing new to announce
    this.status.replaceChildren(make("p", { text: first }), ...lines.map((text) => make("p", { class: "mg-line", text })));
  }

  // The keys, or in the last step the values, of the tokens that have a row; of several their
  // average by weight, as that is what their weight is multiplied with.
  vector({ tokens, weights }) {
    const of = this.last ? this.v : this.k;
    if (tokens.length === 1) return of[tokens[0]];
    const sum = weights.reduce((a, b) => a + b, 0);
    return sum && this.last
      ? of[0].map((_, d) => tokens.reduce((total, j, i) => total + weights[i] * of[j][d], 0) / sum) : undefined;
  }

  drawTable(steps, at) {
    const { rows, last, names, asking } = this;
    const own = last ? { name: "output", vector: this.result.outputs[asking] } : { name: "query", vector: this.q[asking] };
    const vectors = rows.map((row) => this.vector(row));
    const most = farthest([own.vector, ...vectors.filter(Boolean)]);
    const part = last ? "value" : "key";
    const strip = (vector, label) => {
      const cell = emptyStrip();
      drawStrip(cell, vector, most, `${label}: ${vector.length} numbers; the fold below has them`);
      return cell;
    };
    const shownSteps = steps.slice(0, -1);
    // On a phone the newest two have room.
    const past = (step) => (last ? step < steps.length - 2 : step < at - 1) && "mg-past";
    const cells = (cellOf) => shownSteps.map((step, i) => (i > at ? make("td", { class: "mg-ahead" }) : cellOf(step, i)));
    const ownRow = make("tr", { class: "mg-own-asks" },
      make("th", { scope: "row", text: own.name }), make("td", {}, strip(own.vector, `The ${own.name} of “${names[asking]}”`)),
      ...cells((_, i) => make("td", { class: past(i) })));
    const body = rows.map((row, r) => make("tr", {},
      make("th", { scope: "row", text: row.name }),
      make("td", {}, ...(vectors[r] ? [strip(vectors[r], `The ${part} of ${row.name}`)] : [])),
      ...cells(({ key }, i) => make("td", { class: [past(i), row.hiddenAt(key) && "mg-masked"].filter(Boolean).join(" "), text: row.text(key) }))));
    const total = make("tr", { class: "mg-own-sum" }, make("th", { scope: "row", text: "sum" }), make("td"),
      ...cells(({ key }, i) => make("td", {
        class: past(i), text: isTiny(key) ? shown(this.result[key][asking].reduce((a, b) => a + b, 0), true) : "",
      })));
    this.table.replaceChildren(
      make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "token" }), make("th", { scope: "col", text: part }),
        ...cells(({ short }, i) => make("th", { scope: "col", class: past(i), "aria-current": i === at && "step", text: `${i + 1}. ${short}` })))),
      make("tbody", {}, ...(last ? [...body, total, ownRow] : [ownRow, ...body, total])));
    this.scale.textContent = `A strip has a cell for each of ${this.width} numbers: the upper half is filled above 0, the lower half below. `
      + `Here the strongest is ±${signed(most).slice(1)}.`;
    this.numbers.show([own, ...rows.map(({ name }, r) => ({ name, vector: vectors[r] }))].filter(({ vector }) => vector),
      `The numbers of the ${last ? "values and the output" : "query and the keys"}`);
  }

  // The sentence of a step, and its working for the token that weighs most.
  describe(key) {
    const { result, names, asking, q, k, v, width: D, switches: { on } } = this;
    const row = (name) => result[name][asking];
    const later = names.length - 1 - asking;
    const said = sentence(key, {
      who: `“${names[asking]}”`, D, divisor: result.divisor, ...on,
      later: later ? count(later, "token") : "", hidden: row("masked").includes(-Infinity),
    });
    const weights = row("weights");
    const ranked = weights.map((_, j) => j).sort((a, b) => weights[b] - weights[a] || a - b);
    const [best] = ranked;
    const whose = `“${names[best]}” (${best + 1}), which weighs most`;
    const partly = (a, b, tiny) => products(a.slice(0, WRITTEN), b.slice(0, WRITTEN), tiny)
      + (a.length > WRITTEN ? ` + … (${a.length - WRITTEN} more)` : "");
    if (key === "products") return [said, `${whose}: ${partly(q[asking], k[best])} = ${shown(row("products")[best])}`];
    if (key === "outputs") {
      const seen = ranked.filter((j) => weights[j] > 0);
      return [said, `first number: ${partly(seen.map((j) => weights[j]), seen.map((j) => v[j][0]), true)} = ${shown(row("outputs")[0])}`];
    }
    const lines = [`${whose}: ${lineOf(key, row, result.divisor, result.sums[asking], on)(best)}`];
    if (key === "exponentials") lines.push(`sum of all: ${shown(result.sums[asking], true)}`);
    return [said, ...lines];
  }
}
