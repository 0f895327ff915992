// <attention-steps tokens="the,cat,sat" q="1,0;0,1;1,1" k="…" v="…">: causal attention on three
// tokens, one step at a time, with every number to read, to check on paper and to change. With
// source="given" another element calls `show`, with a sentence of any length (own-steps.js).

import { make } from "../../parts/token-chips.js";
import { attentionByHand } from "./attention-by-hand.js";
import { LIMIT, MATRICES, readExample } from "./example.js";
import { OwnSteps } from "./own-steps.js";
import { lineOf, sentence } from "./sentences.js";
import { StepBar } from "./step-bar.js";
import { isTiny, namedSteps } from "./steps.js";
import { Switches } from "./switches.js";
import { listed, products, quoted, shown } from "./words.js";

const ORDINALS = ["first", "second"];
const NOTE = `Type numbers from −${LIMIT} to ${LIMIT}. The page rounds what it shows and goes on with the exact numbers.`;

let instances = 0;

const header = (...texts) => make("thead", {}, make("tr", {}, ...texts.map((text) => make("th", { scope: "col", text }))));

class AttentionSteps extends HTMLElement {
  connectedCallback() {
    if (this.bar || this.own || this.dataset.state) return;
    if (this.getAttribute("source") === "given") {
      this.own = new OwnSteps();
      this.replaceChildren(this.own.node);
      return;
    }
    try {
      this.example = readExample(this);
    } catch (error) {
      this.dataset.state = "failed";
      this.prepend(make("p", { role: "alert", text: `This example cannot be shown: ${error.message}` }));
      return;
    }
    this.tokens = this.example.tokens;
    this.asking = this.tokens.length - 1;
    this.build();
    this.reset();
  }

  // For source="given": see own-steps.js.
  show(sentence) { this.own.show(sentence); }

  build() {
    const id = `attention-steps-${++instances}`;
    const button = (text, click) => make("button", { type: "button", class: "mg-button", text, click });
    this.bar = new StepBar(() => this.render());
    this.pickers = this.tokens.map((token, i) => button(token, () => { this.asking = i; this.render(); }));
    this.status = make("div", { class: "mg-working", role: "status" });
    this.table = make("table", { class: "mg-matrix" });
    this.trace = make("table", { class: "mg-trace" });
    this.message = make("p", { id: `${id}-message`, class: "mg-message", role: "status", text: NOTE });
    this.switches = new Switches(this.example.q[0].length, () => this.render());
    this.replaceChildren(
      this.bar.node,
      make("div", { class: "mg-buttons mg-asks", role: "group", "aria-labelledby": `${id}-asks` },
        make("span", { id: `${id}-asks`, class: "mg-label", text: "Who asks?" }), ...this.pickers),
      this.status,
      make("div", { class: "mg-pair" }, this.table, this.trace),
      this.buildInputs(),
      make("div", { class: "mg-options" },
        ...this.switches.labels,
        button("Reset", () => { this.reset(); this.say("The chapter’s numbers are back."); })),
      this.message);
  }

  buildInputs() {
    const names = Object.entries(MATRICES);
    this.inputs = [];
    const cell = (name, i, d) => {
      const input = make("input", {
        type: "number", class: "mg-number", min: -LIMIT, max: LIMIT, step: 0.5,
        "aria-label": `${MATRICES[name]} of ${quoted(this.tokens[i])}, ${ORDINALS[d]} number`,
        "aria-invalid": "false",
        input: () => this.edit(input, name, i, d, false),
        change: () => this.edit(input, name, i, d, true),
      });
      this.inputs.push({ input, name, i, d });
      return make("td", {}, input);
    };
    return make("table", { class: "mg-inputs" },
      make("caption", { text: "Change any number" }),
      make("thead", {}, make("tr", {}, make("td"), ...names.map(([name, long]) =>
        make("th", { scope: "colgroup", colspan: this.example[name][0].length, text: `${long} ${name}` })))),
      make("tbody", {}, ...this.tokens.map((token, i) => make("tr", {},
        make("th", { scope: "row", text: token }),
        ...names.flatMap(([name]) => this.example[name][i].map((_, d) => cell(name, i, d)))))));
  }

  // The chapter's numbers and switches; the step and who asks stay as they are.
  reset() {
    this.numbers = structuredClone(this.example);
    this.switches.reset();
    for (const { input, name, i, d } of this.inputs) {
      input.value = this.numbers[name][i][d];
      this.mark(input, false);
    }
    this.render();
  }

  // A good number counts at once. A bad one is named and does not count; when the reader leaves
  // the field (`final`), the number that counts comes back. What may still become a number, such
  // as a lone minus, is waited for.
  edit(input, name, i, d, final) {
    const x = input.valueAsNumber;
    if (Math.abs(x) <= LIMIT) {
      if (!final) this.say(NOTE);
      this.mark(input, false);
      if (x === this.numbers[name][i][d]) return;
      this.numbers[name][i][d] = x;
      this.render();
      return;
    }
    const partial = input.validity.badInput;
    if (partial && !final) return;
    const typed = input.value.length > 12 ? `${input.value.slice(0, 12)}…` : input.value;
    const fault = partial ? "This is not a number" : typed === "" ? "The field is empty" : `${typed.replace("-", "−")} is out of range`;
    this.say(`${fault}: type a number from −${LIMIT} to ${LIMIT}. Until then the ${input.getAttribute("aria-label")}, stays ${shown(this.numbers[name][i][d])}.`);
    this.mark(input, !final);
    if (final) input.value = this.numbers[name][i][d];
  }

  mark(input, bad) {
    input.setAttribute("aria-invalid", String(bad));
    if (bad) input.setAttribute("aria-describedby", this.message.id);
    else input.removeAttribute("aria-describedby");
  }

  say(text) {
    if (this.message.textContent !== text) this.message.textContent = text;
  }

  get at() { return this.bar.at; }
  get steps() { return namedSteps(this.switches.on); }

  render() {
    const { q, k, v } = this.numbers;
    this.result = attentionByHand(q, k, v, this.switches.on);
    this.bar.draw(this.steps[this.at].title);
    for (const [i, picker] of this.pickers.entries()) picker.setAttribute("aria-pressed", String(i === this.asking));
    for (const { input, name, i } of this.inputs) {
      const used = this.at === 0 ? name === "k" || (name === "q" && i === this.asking) : this.at === 5 && name === "v";
      input.classList.toggle("mg-used", used);
    }
    this.drawTable();
    this.drawTrace();
    const [sentence, ...lines] = this.describe();
    if (this.status.textContent === [sentence, ...lines].join("")) return; // nothing new to announce
    this.status.replaceChildren(make("p", { text: sentence }), ...lines.map((text) => make("p", { class: "mg-line", text })));
  }

  // One number of a step, for both tables.
  cell(step, i, j) {
    const { key } = this.steps[step];
    const x = this.result[key][i][j];
    const hidden = step >= 2 && step <= 4 && this.result.masked[i][j] === -Infinity;
    const cell = make("td", { class: hidden && "mg-masked", text: shown(x, isTiny(key)) });
    if (key === "weights" && !hidden) {
      cell.classList.add("mg-weight");
      cell.style.setProperty("--mg-weight", x.toFixed(4));
    }
    return cell;
  }

  drawTable() {
    const { key, title } = this.steps[this.at];
    const summed = isTiny(key);
    const columns = key === "outputs" ? this.example.v[0].map((_, d) => ORDINALS[d]) : this.tokens;
    const total = (i) => make("td", { class: "mg-sum", text: shown(this.result[key][i].reduce((a, b) => a + b), true) });
    this.table.replaceChildren(
      make("caption", { text: `${this.at + 1}. ${title[0].toUpperCase()}${title.slice(1)}` }),
      header("asks", ...columns, ...(summed ? ["sum"] : [])),
      make("tbody", {}, ...this.tokens.map((token, i) => make("tr", { "aria-current": i === this.asking && "true" },
        make("th", { scope: "row", text: token }),
        ...columns.map((_, j) => this.cell(this.at, i, j)),
        ...(summed ? [total(i)] : [])))));
  }

  // The asking token's row through the steps so far; later ones keep their place, empty.
  drawTrace() {
    const later = () => make("tr", { "aria-hidden": "true" },
      make("th", { text: "\u00a0" }), make("td", { colspan: this.tokens.length }));
    this.trace.replaceChildren(
      make("caption", { text: `${quoted(this.tokens[this.asking])} through the steps` }),
      header("step", ...this.tokens),
      make("tbody", {}, ...this.steps.map(({ key, short }, step) => (step > this.at ? later() : make("tr",
        { "aria-current": step === this.at && "step" },
        make("th", { scope: "row", text: `${step + 1}. ${short}` }),
        ...(key === "outputs"
          ? [make("td", { colspan: this.tokens.length, text: `(${this.result.outputs[this.asking].map((x) => shown(x)).join(", ")})` })]
          : this.tokens.map((_, j) => this.cell(step, this.asking, j))))))));
  }

  // What the step did for the asking token: a sentence, then one line a number.
  describe() {
    const { numbers, result, tokens, asking } = this;
    const { key } = this.steps[this.at];
    const row = (name) => result[name][asking];
    const said = sentence(key, {
      who: quoted(tokens[asking]), D: numbers.q[0].length, divisor: result.divisor, ...this.switches.on,
      later: listed(tokens.slice(asking + 1).map(quoted)), hidden: row("masked").includes(-Infinity),
    });
    const line = lineOf(key, row, result.divisor, result.sums[asking], this.switches.on);
    switch (key) {
      case "products":
        return [said, ...tokens.map((token, j) =>
          `${quoted(token)}: ${products(numbers.q[asking], numbers.k[j])} = ${shown(row("products")[j])}`)];
      case "outputs":
        return [said, ...row("outputs").map((x, d) =>
          `${ORDINALS[d]} number: ${products(row("weights"), numbers.v.map((value) => value[d]), true)} = ${shown(x)}`)];
      default: {
        const lines = tokens.map((token, j) => `${quoted(token)}: ${line(j)}`);
        if (key !== "exponentials") return [said, ...lines];
        const sum = row("exponentials").map((x) => shown(x, true)).join(" + ");
        return [said, ...lines, `sum: ${sum} = ${shown(result.sums[asking], true)}`];
      }
    }
  }
}

if (!customElements.get("attention-steps")) customElements.define("attention-steps", AttentionSteps);
