// <answer-group>: eight answers that a model in training sampled to one prompt, with the rewards
// that a program gave, and the advantages that it learns from. The reader guesses them first.
//
// The groups (minigpt/results/answer_groups.json) are fetched when the element comes near the
// screen. `element.load()` resolves when they are there, and `element.result` is what is shown.

import { fetchedJson } from "../../engine/fetched.js";
import { FetchedElement } from "../../parts/fetched-element.js";
import { along, axisEnd, decimals } from "../../parts/probability-bars.js";
import { make } from "../../parts/token-chips.js";
import { groupAdvantages, penalised } from "./advantages.js";
import { guess, tell } from "./told.js";

const FILE = new URL("../../results/answer_groups.json", import.meta.url);
const BETAS = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

let instances = 0;

// Eighths are exact in three digits.
const fixed = (x, plus = "") => {
  const text = Math.abs(x).toFixed(3);
  return `${Number(text) === 0 ? "" : x < 0 ? "−" : plus}${text}`;
};

class AnswerGroup extends FetchedElement {
  what = "the answers";
  settings = { prompt: 0, step: 0, divide: false, beta: 0 };
  open = false;  // whether the advantages are shown

  async fetchData() {
    const { groups } = await fetchedJson(FILE);
    this.groups = groups;
    this.prompts = [...new Set(groups.map(({ prompt }) => prompt))];
    this.steps = [...new Set(groups.map(({ step }) => step))].sort((a, b) => a - b);
    this.size = groups[0]?.answers.length;
    if (groups.length !== this.prompts.length * this.steps.length || groups.some(({ answers }) => answers.length !== this.size)) {
      throw new Error("not one group a prompt and step, all of one size");
    }
    // The most that one of the answers can be above the others, divided by their spread.
    this.farthest = Math.sqrt(this.size - 1);
  }

  begin() {
    this.build();
    this.render();
  }

  get first() { return this.querySelector("[type=radio]"); }

  get group() {
    const [prompt, step] = [this.prompts[this.settings.prompt], this.steps[this.settings.step]];
    return this.groups.find((group) => group.prompt === prompt && group.step === step);
  }

  // For its picture: a group with both kinds of answers, and their advantages.
  pose() {
    const mixed = this.groups.find(({ answers }) => new Set(answers.map(({ reward }) => reward)).size > 1) ?? this.groups[0];
    this.change({ prompt: this.prompts.indexOf(mixed.prompt), step: this.steps.indexOf(mixed.step) });
    this.reveal(true);
  }

  build() {
    const id = `answer-group-${++instances}`;
    const radios = (name, title, texts) => make("fieldset", { class: "mg-choices" }, make("legend", { class: "mg-title", text: title }),
      ...texts.map((text, i) => make("label", { class: "mg-option" },
        make("input", { type: "radio", name: `${id}-${name}`, checked: i === 0, change: () => this.change({ [name]: i }) }), text)));
    this.radios = Object.fromEntries([
      ["prompt", radios("prompt", "Prompt", this.prompts)],
      ["step", radios("step", "Steps of training", this.steps.map(String))],
    ]);
    this.divide = make("input", { type: "checkbox", change: () => this.change({ divide: this.divide.checked }) });
    this.slider = make("input", {
      type: "range", class: "mg-slider", id: `${id}-beta`, min: 0, max: BETAS.length - 1, value: 0,
      input: () => this.change({ beta: BETAS[this.slider.value] }),
    });
    this.value = make("output", { class: "mg-value", for: `${id}-beta`, "aria-live": "off" });
    this.show = make("button", { type: "button", class: "mg-button", click: () => this.reveal(!this.open) });
    this.rows = Array.from({ length: this.size }, () => this.buildRow());
    this.numbers = ["right", "mean", "spread"].map((name) => make("dd", { "data-value": name }));
    this.told = make("p", { class: "mg-told", role: "status" });
    this.replaceChildren(
      make("p", { class: "mg-note" },
        `A small model puts six digits in order. Here are ${this.size} answers that it sampled to a prompt, before and while it learned from rewards: `,
        "1 for an answer that is right, else 0. A program checks that."),
      make("div", { class: "mg-asked" }, this.radios.prompt, this.radios.step),
      make("table", {},
        make("caption", { class: "mg-visually-hidden", text: "The answers of the group" }),
        make("thead", {}, make("tr", {}, ...["answer", "probability", "reward", "advantage"].map((text) => make("th", { scope: "col", text })))),
        make("tbody", {}, ...this.rows.map(({ element }) => element))),
      make("dl", {}, ...["right", "mean reward", "spread"].map((text, i) => make("div", {}, make("dt", { text }), this.numbers[i]))),
      make("div", { class: "mg-buttons" }, this.show),
      this.told,
      make("div", { class: "mg-settings" },
        make("label", { class: "mg-option" }, this.divide, "Divide by the spread"),
        make("div", { class: "mg-penalty" },
          make("div", { class: "mg-setting-name" }, make("label", { for: `${id}-beta`, text: "β, pull to the start" }), this.value),
          this.slider)));
  }

  buildRow() {
    const cells = { answer: make("th", { scope: "row" }), probability: make("td"), reward: make("td"), advantage: make("td") };
    const parts = {
      text: make("span", { class: "mg-answer" }), bar: make("span", { class: "mg-length" }), arrow: make("span", { class: "mg-arrow" }), number: make("span"),
    };
    cells.answer.append(parts.text, make("span", { class: "mg-track", "aria-hidden": "true" }, parts.bar));
    cells.advantage.append(make("span", { class: "mg-shaft", "aria-hidden": "true" }, parts.arrow), parts.number);
    return { cells, ...parts, element: make("tr", {}, ...Object.values(cells)) };
  }

  change(settings) {
    if ("prompt" in settings && settings.prompt !== this.settings.prompt) this.open = false;  // guess anew
    Object.assign(this.settings, settings);
    this.render();
  }

  reveal(open) {
    this.open = open;
    this.render();
  }

  render() {
    const { prompt, step, divide, beta } = this.settings;
    const { answers } = this.group;
    const rewards = penalised(answers, beta);
    this.result = { rewards, ...groupAdvantages(rewards, divide) };
    for (const [name, at] of [["prompt", prompt], ["step", step]]) this.radios[name].querySelectorAll("input")[at].checked = true;
    this.divide.checked = divide;
    this.slider.value = BETAS.findLastIndex((stop) => stop <= beta);
    this.value.textContent = beta ? String(beta) : "off";
    this.slider.setAttribute("aria-valuetext", this.value.textContent);

    // One scale for all steps of a prompt, so that bars grow with training.
    const same = this.groups.filter((group) => group.prompt === this.prompts[prompt]);
    const end = axisEnd(Math.max(...same.flatMap((group) => group.answers.map(({ logprob }) => Math.exp(logprob)))));
    answers.forEach((answer, i) => this.renderRow(this.rows[i], answer, i, end));
    const right = answers.filter(({ reward }) => reward > 0).length;
    const [rightOnes, mean, spread] = this.numbers;
    rightOnes.textContent = `${right} of ${answers.length}`;
    mean.textContent = fixed(this.result.mean);
    spread.textContent = fixed(this.result.spread);
    this.show.textContent = this.open ? "Hide the advantages" : "Show the advantages";
    this.show.setAttribute("aria-pressed", String(this.open));
    this.told.textContent = this.open ? tell({ ...this.result, answers, divide, beta, right, fixed }) : guess(answers.length, right);
  }

  renderRow({ cells, text, bar, arrow, number }, { text: said, reward, logprob }, i, end) {
    const probability = Math.exp(logprob);
    text.textContent = said.trim() || "(nothing)";
    cells.probability.textContent = decimals(probability);
    bar.style.width = along(probability, end);
    const verdict = make("span", { class: reward > 0 ? "mg-right" : "mg-wrong", text: reward > 0 ? "✓ right" : "✗ wrong" });
    cells.reward.replaceChildren(verdict, make("span", { class: "mg-reward", text: this.settings.beta ? fixed(this.result.rewards[i]) : String(reward) }));
    const advantage = this.result.advantages[i];
    const direction = Number(advantage.toFixed(3)) === 0 ? "mg-none" : advantage > 0 ? "mg-up" : "mg-down";
    arrow.className = `mg-arrow ${this.open ? direction : "mg-none"}`;
    arrow.style.height = this.open ? `${(50 * Math.min(Math.abs(advantage) / this.farthest, 1)).toFixed(2)}%` : "0";
    number.textContent = this.open ? fixed(advantage, "+") : "?";
  }
}

if (!customElements.get("answer-group")) customElements.define("answer-group", AnswerGroup);
