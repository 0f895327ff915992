// The settings of a run: text, tokens, size, learning rate, steps. What is left of the recipe is
// minigpt's.

import { sizeOfRun } from "../../engine/training/run-in-worker.js";
import { inBytes } from "../../engine/own-model.js";
import { partsOf } from "../../engine/training/texts.js";
import { make, number } from "../../parts/token-chips.js";
import { rateText, tokensText } from "./run-words.js";
import { TextChoice } from "./text-choice.js";

const RATES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1];
const MERGES = [0, 100, 400];
const STEPS = { least: 10, most: 20_000 };
const LOOKS = 20;     // of a run
const SAMPLE = { prompt: "", tokens: 160, seed: 1, temperature: 0.8 };

export class RunFields {
  // presets: {text, tokens, size, rate, steps}, attributes of the element. rate: told the learning
  // rate, as it is moved. changed: called after
  // another. say: told what the reader should hear.
  constructor({ id, data: { sizes, texts }, presets, inside, rate, changed, say }) {
    Object.assign(this, { sizes, inside, changed, say });
    const option = (value, text) => make("option", { value, text });
    this.text = new TextChoice({ id, texts, chosen: presets.text, changed: () => this.tell(), say });
    const select = (name, change, ...options) => make("select", { id: `${id}-${name}`, class: "mg-input", change }, ...options);
    this.tokens = select("tokens", () => this.tell(), ...MERGES.map((n) => option(n, n ? `Parts of words: ${tokensText(n)}` : "Characters")));
    this.tokens.value = presets.tokens === "bpe" ? MERGES.at(-1) : MERGES[0];
    this.size = select("size", () => this.resize(), ...sizes.map(({ name, sizes: { n_layer, n_embd } }, i) =>
      option(i, `${name}: ${n_layer === 1 ? "1 block" : `${n_layer} blocks`}, ${n_embd} wide`)));
    this.size.value = Math.max(0, sizes.findIndex(({ name }) => name === (presets.size ?? sizes[1].name)));
    this.rates = [...new Set([...RATES, ...sizes.map(({ recipe }) => recipe.learning_rate), ...(presets.rate ? [Number(presets.rate)] : [])])].sort((a, b) => a - b);
    this.rate = make("input", {
      type: "range", id: `${id}-rate`, class: "mg-slider", min: 0, max: this.rates.length - 1,
      input: () => { this.showRate(); rate(this.rateValue); },
    });
    this.rateShown = make("span", { class: "mg-value", "aria-hidden": "true" });
    this.steps = make("input", {
      type: "number", id: `${id}-steps`, class: "mg-input", inputmode: "numeric", min: STEPS.least, max: STEPS.most, step: 1,
      change: () => this.wholeSteps(),
    });
    this.suit();
    if (presets.rate) this.setRate(Number(presets.rate));
    if (presets.steps) this.steps.value = presets.steps;
    this.told = make("p", { class: "mg-note mg-needs" });
    const field = (label, input, more = "") => make("div", {}, make("label", { class: "mg-label", for: input.id }, label, more), input);
    this.node = make("div", { class: "mg-fields" }, ...this.text.nodes,
      field("Tokens", this.tokens), field("Size, in numbers", this.size),
      field("Learning rate ", this.rate, this.rateShown), field("Steps", this.steps), this.told);
  }

  // Another size: the rate and the steps that suit it.
  suit() {
    const { recipe } = this.sizes[this.size.value];
    this.setRate(recipe.learning_rate);
    this.steps.value = recipe.steps;
    this.tell();
  }

  resize() {
    this.suit();
    this.say(`The learning rate and the steps are now those that suit this size: ${rateText(this.rateValue)}, and ${number(Number(this.steps.value))} steps.`);
  }

  // As they were for a run: {text, title, merges, size, recipe}.
  restore({ text, title, merges, size, recipe }) {
    this.text.restore(text, title);
    this.tokens.value = merges;
    this.size.value = Math.max(0, this.sizes.findIndex(({ name }) => name === size));
    this.setRate(recipe.learning_rate);
    this.steps.value = recipe.steps;
    this.tell();
  }

  get rateValue() { return this.rates[Number(this.rate.value)]; }

  setRate(rate) {
    const distances = this.rates.map((other) => Math.abs(Math.log(other / rate)));
    this.rate.value = distances.indexOf(Math.min(...distances));
    this.showRate();
  }

  showRate() {
    this.rateShown.textContent = rateText(this.rateValue);
    this.rate.setAttribute("aria-valuetext", rateText(this.rateValue));
  }

  wholeSteps() {
    const given = this.steps.valueAsNumber;
    const value = Math.min(STEPS.most, Math.max(STEPS.least, Math.round(Number.isFinite(given) ? given : this.sizes[this.size.value].recipe.steps)));
    if (given !== value) {
      this.steps.value = value;
      this.say(`Steps: a whole number from ${number(STEPS.least)} to ${number(STEPS.most)}, so ${number(value)} is taken.`);
    }
    this.tell();
    return value;
  }

  // What the run will need, before it begins.
  async tell() {
    const asked = this.asked = {};  // an earlier text may come later
    this.changed();
    const merges = Number(this.tokens.value);
    const { sizes, recipe } = this.sizes[this.size.value];
    try {
      const { text } = await this.text.chosen();
      if (!this.told || asked !== this.asked) return;
      const { characters, cut } = partsOf(text);
      if (!cut) {
        this.told.textContent = "There is no text yet.";
        return;
      }
      const wish = { ...this.lookWish(Number(this.steps.value) || recipe.steps), inside: this.inside };
      const { numbers, bytes, snapshots } = sizeOfRun(sizes, merges ? 256 + merges : new Set(characters).size, recipe.batch_size, wish);
      const kept = snapshots.steps.length ? `, and ${inBytes(snapshots.bytes)} for snapshots of them at ${snapshots.steps.length} steps, which this tab keeps until another run` : "";
      this.told.textContent = `${number(characters.length)} characters: ${number(cut)} to learn from, and ${number(characters.length - cut)}, at the end, to be judged by; ${merges ? "about " : ""}${number(numbers)} numbers that learn, and ${inBytes(bytes)} of memory while they do${kept}. How long it takes, the first steps tell. It goes on while this tab is hidden.`;
    } catch {
      if (this.told) this.told.textContent = "";  // a text that did not come is told of when it is needed
    }
  }

  lookWish(steps) { return { steps, look: Math.max(1, Math.ceil(steps / LOOKS)) }; }

  // As TrainingJob takes it, with what it is called. change: told the order, returns what is otherwise.
  async order(change = () => ({})) {
    const { name, sizes, recipe } = this.sizes[this.size.value];
    const steps = this.wholeSteps();
    const order = {
      ...await this.text.chosen(), merges: Number(this.tokens.value), size: name, sizes, spread: 1, sample: SAMPLE,
      recipe: { ...recipe, learning_rate: this.rateValue, steps },
    };
    const changed = { ...order, ...change(order) };
    const { recipe: own } = changed;
    return {
      ...changed, recipe: { ...own, warmup: Math.min(own.warmup, Math.floor(own.steps / 10)) },
      look: this.lookWish(own.steps).look, inside: this.inside,
    };
  }
}
