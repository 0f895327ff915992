// <attention-steps tokens="the,cat,sat" q="1,0;0,1;1,1" k="…" v="…">: causal attention on three
// tokens, one step at a time, with every number to read, to check on paper and to change.

import { make } from "../../parts/token-chips.js";
import { attentionByHand } from "./attention-by-hand.js";

const LIMIT = 9;        // of a number, either way
const MOST_TOKENS = 3;  // more of either
const MOST_NUMBERS = 2; // would not fit a phone
const MATRICES = { q: "query", k: "key", v: "value" };
const ORDINALS = ["first", "second"];
const STEPS = [
  { key: "products", title: "dot products q · k", short: "q · k" },
  { key: "scores", title: "divided by √D", short: "÷ √D" },
  { key: "masked", title: "the future masked", short: "mask" },
  { key: "exponentials", title: "exponentials", short: "exp" },
  { key: "weights", title: "weights: ÷ the sum", short: "÷ sum" },
  { key: "outputs", title: "outputs: weighted values", short: "output" },
];

const NOTE = `Type numbers from −${LIMIT} to ${LIMIT}. The page rounds what it shows and goes on with the exact numbers.`;

let instances = 0;

// At most three decimals and five digits, no trailing zeros, a true minus. `tiny` is for
// exponentials and weights: they are never noise around 0, so a small one is no 0.
export function shown(x, tiny = false) {
  if (x === -Infinity) return "−∞";
  const size = Math.abs(x);
  const text = size >= 1e5
    ? x.toExponential(1).replace("e+", "e").replace(".0e", "e")
    : tiny && size > 0 && size < 5e-4 ? x.toExponential(0) : String(Number(Number(x.toPrecision(5)).toFixed(3)));
  return text.replaceAll("-", "−");
}

const factor = (x, tiny) => (x < 0 ? `(${shown(x, tiny)})` : shown(x, tiny));
const products = (a, b, tiny) => a.map((x, i) => `${factor(x, tiny)}×${factor(b[i])}`).join(" + ");
const quoted = (token) => `“${token}”`;
const header = (...texts) => make("thead", {}, make("tr", {}, ...texts.map((text) => make("th", { scope: "col", text }))));
const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");

// The example in an element's attributes, or an error that says what is wrong with them.
export function readExample(element) {
  const attribute = (name) => (element.getAttribute(name) ?? "").trim();
  const tokens = attribute("tokens").split(",").map((token) => token.trim());
  if (tokens.includes("") || tokens.length < 2 || tokens.length > MOST_TOKENS) {
    throw new Error(`tokens is “${attribute("tokens")}”: write 2 to ${MOST_TOKENS} words, with “,” between them.`);
  }
  const example = { tokens };
  let width;
  for (const name of Object.keys(MATRICES)) {
    const rows = attribute(name).split(";").map((row) => row.split(",").map((text) => text.trim()));
    if (rows.length !== tokens.length) {
      throw new Error(`${name} has ${rows.length} rows for ${tokens.length} tokens: write one row a token, with “;” between them.`);
    }
    example[name] = rows.map((row, i) => {
      width ??= row.length;
      if (row.length !== width || width > MOST_NUMBERS) {
        throw new Error(`row ${i + 1} of ${name} has length ${row.length}: give all rows of q, k and v equally many numbers, at most ${MOST_NUMBERS}.`);
      }
      return row.map((text) => {
        const x = text === "" ? NaN : Number(text);
        if (!(Math.abs(x) <= LIMIT)) {
          throw new Error(`row ${i + 1} of ${name} has “${text}”: write a number from −${LIMIT} to ${LIMIT}.`);
        }
        return x;
      });
    });
  }
  return example;
}

class AttentionSteps extends HTMLElement {
  connectedCallback() {
    if (this.slider || this.dataset.state) return;
    try {
      this.example = readExample(this);
    } catch (error) {
      this.dataset.state = "failed";
      this.prepend(make("p", { role: "alert", text: `This example cannot be shown: ${error.message}` }));
      return;
    }
    this.tokens = this.example.tokens;
    this.at = 0;
    this.asking = this.tokens.length - 1;
    this.build();
    this.reset();
  }

  build() {
    const id = `attention-steps-${++instances}`;
    const button = (text, click) => make("button", { type: "button", class: "mg-button", text, click });
    this.back = button("Back", () => this.go(this.at - 1));
    this.step = button("Step", () => this.go(this.at + 1));
    this.slider = make("input", {
      type: "range", min: 1, max: STEPS.length, class: "mg-slider", "aria-label": "Step",
      input: () => this.go(Number(this.slider.value) - 1),
    });
    this.place = make("span", { class: "mg-place", "aria-hidden": "true" });
    this.pickers = this.tokens.map((token, i) => button(token, () => { this.asking = i; this.render(); }));
    this.status = make("div", { class: "mg-working", role: "status" });
    this.table = make("table", { class: "mg-matrix" });
    this.trace = make("table", { class: "mg-trace" });
    this.message = make("p", { id: `${id}-message`, class: "mg-message", role: "status", text: NOTE });
    const option = (name, text) => {
      this[name] = make("input", { type: "checkbox", change: () => this.render() });
      return make("label", { class: "mg-option" }, this[name], text);
    };
    const width = this.example.q[0].length;
    this.replaceChildren(
      make("div", { class: "mg-top" },
        make("div", { class: "mg-buttons", role: "group", "aria-label": "Steps" }, this.back, this.step),
        make("div", { class: "mg-progress" }, this.slider, this.place),
        make("div", { class: "mg-buttons", role: "group", "aria-labelledby": `${id}-asks` },
          make("span", { id: `${id}-asks`, class: "mg-label", text: "Who asks?" }), ...this.pickers)),
      this.status,
      make("div", { class: "mg-pair" }, this.table, this.trace),
      this.buildInputs(),
      make("div", { class: "mg-options" },
        option("mask", "Causal mask"), option("scale", `Divide by √D = √${width}`),
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
    this.mask.checked = this.scale.checked = true;
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

  go(target) {
    this.at = Math.max(0, Math.min(target, STEPS.length - 1));
    this.render();
  }

  render() {
    const { q, k, v } = this.numbers;
    this.result = attentionByHand(q, k, v, { mask: this.mask.checked, scale: this.scale.checked });
    this.slider.value = this.at + 1;
    this.place.textContent = `step ${this.at + 1} of ${STEPS.length}`;
    this.slider.setAttribute("aria-valuetext", `${this.place.textContent}: ${STEPS[this.at].title}`);
    // aria-disabled, not disabled: a button that has the focus keeps it.
    this.back.setAttribute("aria-disabled", String(this.at === 0));
    this.step.setAttribute("aria-disabled", String(this.at === STEPS.length - 1));
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
    const { key } = STEPS[step];
    const tiny = key === "exponentials" || key === "weights";
    const x = this.result[key][i][j];
    const hidden = step >= 2 && step <= 4 && this.result.masked[i][j] === -Infinity;
    const cell = make("td", { class: hidden && "mg-masked", text: shown(x, tiny) });
    if (key === "weights" && !hidden) {
      cell.classList.add("mg-weight");
      cell.style.setProperty("--mg-weight", x.toFixed(4));
    }
    return cell;
  }

  drawTable() {
    const { key, title } = STEPS[this.at];
    const summed = key === "exponentials" || key === "weights";
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
      make("tbody", {}, ...STEPS.map(({ key, short }, step) => (step > this.at ? later() : make("tr",
        { "aria-current": step === this.at && "step" },
        make("th", { scope: "row", text: `${step + 1}. ${short}` }),
        ...(key === "outputs"
          ? [make("td", { colspan: this.tokens.length, text: `(${this.result.outputs[this.asking].map((x) => shown(x)).join(", ")})` })]
          : this.tokens.map((_, j) => this.cell(step, this.asking, j))))))));
  }

  // What the step did for the asking token: a sentence, then one line a number.
  describe() {
    const { numbers, result, tokens, asking } = this;
    const who = quoted(tokens[asking]);
    const row = (key) => result[key][asking];
    const lines = (line) => tokens.map((token, j) => `${quoted(token)}: ${line(j)}`);
    const divisor = shown(result.divisor);
    switch (STEPS[this.at].key) {
      case "products":
        return [`${who} asks: its query times each key, number by number, summed.`,
          ...lines((j) => `${products(numbers.q[asking], numbers.k[j])} = ${shown(row("products")[j])}`)];
      case "scores":
        return this.scale.checked
          ? [`Each dot product of ${who} is divided by √D = √${numbers.q[0].length} = ${divisor}.`,
            ...lines((j) => `${shown(row("products")[j])} ÷ ${divisor} = ${shown(row("scores")[j])}`)]
          : [`The division is off: the dot products of ${who} stay as they are.`, ...lines((j) => `${shown(row("products")[j])} stays`)];
      case "masked": {
        const later = tokens.slice(asking + 1).map(quoted);
        const sentence = !this.mask.checked
          ? `The mask is off: nothing is masked, and ${who} looks at every token.`
          : later.length
            ? `${who} may not look at what comes later: ${listed(later)}.`
            : `${who} comes last and may look at every token: nothing is masked in its row.`;
        return [sentence, ...lines((j) => (row("masked")[j] === -Infinity
          ? `${shown(row("scores")[j])} becomes −∞` : `${shown(row("scores")[j])} stays`))];
      }
      case "exponentials":
        return [`exp makes each score of ${who} positive${row("masked").includes(-Infinity) ? ", and −∞ to 0" : ""}; then they are summed.`,
          ...lines((j) => `exp(${shown(row("masked")[j])}) = ${shown(row("exponentials")[j], true)}`),
          `sum: ${row("exponentials").map((x) => shown(x, true)).join(" + ")} = ${shown(result.sums[asking], true)}`];
      case "weights":
        return [`Divided by their sum, the exponentials of ${who} become weights that sum to 1.`,
          ...lines((j) => `${shown(row("exponentials")[j], true)} ÷ ${shown(result.sums[asking], true)} = ${shown(row("weights")[j], true)}`)];
      default:
        return [`${who} receives the values, each times its weight, summed.`,
          ...row("outputs").map((x, d) =>
            `${ORDINALS[d]} number: ${products(row("weights"), numbers.v.map((value) => value[d]), true)} = ${shown(x)}`)];
    }
  }
}

if (!customElements.get("attention-steps")) customElements.define("attention-steps", AttentionSteps);
