// <next-token>: what our model says comes next after a few texts, and what temperature, top-k,
// top-p and min-p make of it. The reader moves the settings, and draws.
//
// The scores are fetched when the element comes near the screen (book/_ext/site/next_token_file.py
// writes them). For tests: `element.load()` resolves when they are there, `element.contexts` holds
// them, `element.result` is what `sample` made of those shown, `element.counts` what was drawn.

import { fetchedJson } from "../../engine/fetched.js";
import { draw, randomNumbers, ranked, sample, softmax } from "../../engine/sampling.js";
import { FetchedElement } from "../../parts/fetched-element.js";
import { along, axisEnd, axisMarks, bars, decimals, leftOf, legend, sum } from "../../parts/probability-bars.js";
import { equal, remover, settingControls, settingsInWords, showSettings, UNCHANGED } from "../../parts/sampling-settings.js";
import { chipText, count, loadVocabulary, make, number, spell, spelled } from "../../parts/token-chips.js";

const FILE = new URL("../../models/next-token.json", import.meta.url);
const SHOWN = 12;       // tokens with a row of their own
const SEED = 1;         // the same settings draw the same tokens
const ANNOUNCE = 700;   // milliseconds without a change before a screen reader is told

let instances = 0;

// Thousandths of a nat below the best score, as 16-bit numbers in base64.
function unpackScores(below, step) {
  const bytes = Uint8Array.from(atob(below), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 2 }, (_, id) => -view.getUint16(2 * id, true) * step);
}

function unpack({ step, contexts }, tokenizer) {
  return contexts.map(({ name, text, below }) => {
    const scores = unpackScores(below, step);
    if (scores.length !== tokenizer.size) {
      throw new Error(`“${name}” has scores of ${scores.length} tokens, and the vocabulary has ${tokenizer.size}`);
    }
    return { name, text, scores, probabilities: softmax(scores), order: ranked(scores) };
  });
}

class NextToken extends FetchedElement {
  at = 0;  // the context shown
  settings = { ...UNCHANGED };
  counts = new Map();
  what = "the model’s scores";

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async fetchData() {
    const [scores, tokenizer] = await Promise.all([fetchedJson(FILE), loadVocabulary("shakespeare")]);
    this.contexts = unpack(scores, tokenizer);
    this.tokenizer = tokenizer;
  }

  begin() {
    this.build();
    this.renderContext();
  }

  get first() { return this.querySelector("[type=radio]"); }
  get context() { return this.contexts[this.at]; }

  spelled(id) { return `“${spelled(this.tokenizer.tokenBytes(id))}”`; }

  build() {
    const id = `next-token-${++instances}`;
    const choices = this.contexts.map(({ name }, i) => make("label", { class: "mg-option" },
      make("input", { type: "radio", name: id, value: i, checked: i === this.at, change: () => this.choose(i) }), name));
    this.reading = make("p", { class: "mg-reading" });
    Object.assign(this, settingControls({ id, size: this.tokenizer.size, change: (settings) => this.change(settings) }));
    this.numbers = ["left", "entropy", "equal", "largest"].map((name) => make("dd", { "data-value": name }));
    const button = (text, click) => make("button", { type: "button", class: "mg-button", text, click });
    this.clear = button("Clear", () => {
      if (!this.counts.size) return;
      this.forget();
      this.live.textContent = "Counts cleared.";
    });
    this.tally = make("p", { class: "mg-tally" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.replaceChildren(
      make("div", { class: "mg-desk" },
        make("div", { class: "mg-controls" },
          make("fieldset", { class: "mg-texts" }, make("legend", { class: "mg-title", text: "What comes next?" }), ...choices),
          this.reading,
          make("div", { class: "mg-presets", role: "group", "aria-label": "Settings to start from" }, ...this.presets),
          ...this.sliders.map(({ box }) => box),
          make("dl", { class: "mg-numbers" }, ...["tokens kept", "entropy", "as undecided as among", "largest probability"].map((text, i) =>
            make("div", {}, make("dt", { text }), this.numbers[i])))),
        make("div", {},
          this.buildTable(),
          legend([
            ["mg-own", "the model’s own probability"], ["mg-after", "after the settings"], ["mg-own", "removed", true],
            ["mg-share", "share of the draws"],
          ]),
          make("div", { class: "mg-buttons", role: "group", "aria-label": "Draw" },
            button("Draw one", () => this.drawTokens(1)), button("Draw 100", () => this.drawTokens(100)), this.clear),
          this.tally)),
      this.live);
  }

  buildTable() {
    const row = () => {
      const cells = { name: make("th", { scope: "row" }), own: make("td"), after: make("td"), drawn: make("td") };
      return { cells, element: make("tr", {}, ...Object.values(cells)) };
    };
    this.rows = Array.from({ length: SHOWN }, () => ({ ...row(), bars: bars() }));
    this.others = row();
    this.others.element.classList.add("mg-others");
    this.axis = make("div", { class: "mg-axis", "aria-hidden": "true" });
    return make("table", {},
      make("caption", {}, `The ${SHOWN} most probable tokens`, this.axis),
      make("thead", {}, make("tr", {}, ...["token", "model", "after", "drawn"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...this.rows.map(({ element }) => element), this.others.element));
  }

  choose(at) {
    this.at = at;
    this.renderContext();
    this.announceSoon();
  }

  // For its picture: a context that leaves much open, and a tail cut off.
  pose() {
    this.querySelector("label:last-child > [type=radio]").click();
    this.change({ top_p: 0.9 });
  }

  change(settings) {
    if (equal(settings, this.settings)) return;
    Object.assign(this.settings, settings);
    this.render();
    this.announceSoon();
  }

  // Drawing

  forget() {
    this.counts.clear();
    this.drawn = 0;
    this.newest = undefined;
    this.random = randomNumbers(SEED);
    this.renderCounts();
  }

  drawTokens(times) {
    const before = new Map(this.counts);
    for (let i = 0; i < times; i++) {
      this.newest = draw(this.result.probabilities, this.context.order, this.random());
      this.counts.set(this.newest, (this.counts.get(this.newest) ?? 0) + 1);
    }
    this.drawn += times;
    this.renderCounts();
    clearTimeout(this.timer);
    const often = [...this.counts].map(([id, n]) => [id, n - (before.get(id) ?? 0)]).filter(([, n]) => n)
      .sort((a, b) => b[1] - a[1]).slice(0, 5);
    this.live.textContent = times === 1 ? `Drawn: ${this.spelled(this.newest)}. ${this.tally.textContent}`
      : `Drawn most often: ${often.map(([id, n]) => `${this.spelled(id)} ${n}`).join(", ")}. ${this.tally.textContent}`;
  }

  // What is shown

  renderContext() {
    const { order, probabilities } = this.context;
    this.rows.forEach(({ cells, bars }, i) => {
      cells.name.replaceChildren(chipText(this.tokenizer.tokenBytes(order[i])), bars.track);
      cells.own.textContent = decimals(probabilities[order[i]]);
    });
    this.others.cells.own.textContent = decimals(sum(order.slice(SHOWN).map((id) => probabilities[id])));
    this.render();
  }

  render() {
    const { scores, order, probabilities: own } = this.context;
    this.result = sample(scores, this.settings);
    const { probabilities, removedBy, left, entropy } = this.result;
    showSettings(this, this.settings, (name) => removedBy.filter((step) => step === name).length);

    const [tokens, undecided, equals, largest] = this.numbers;
    tokens.replaceChildren(make("b", { text: number(left) }), ` of ${number(scores.length)}`);
    undecided.replaceChildren(make("b", { text: entropy.toFixed(2) }), " nats");
    equals.replaceChildren(make("b", { text: Math.exp(entropy).toFixed(1) }), " equally probable tokens");
    largest.replaceChildren(make("b", { text: decimals(probabilities[order[0]]) }));

    const most = Math.max(own[order[0]], probabilities[order[0]]);
    this.end = axisEnd(most);
    this.axis.replaceChildren(...axisMarks(this.end));
    this.rows.forEach(({ element, cells, bars }, i) => {
      const removed = removedBy[order[i]];
      element.classList.toggle("mg-removed", Boolean(removed));
      cells.after.textContent = removed ? `out by ${remover(removed)}` : decimals(probabilities[order[i]]);
      bars.own.style.width = this.place(own[order[i]]);
      bars.after.style.width = this.place(probabilities[order[i]]);
    });
    const others = order.slice(SHOWN);
    this.others.cells.name.replaceChildren(`${number(others.length)} others`,
      make("span", { class: "mg-note", text: leftOf(others, removedBy) }));
    this.others.cells.after.textContent = decimals(sum(others.map((id) => probabilities[id])));
    this.forget();
  }

  renderCounts() {
    const { text, order } = this.context;
    const times = (id) => this.counts.get(id) ?? 0;
    this.rows.forEach(({ cells, bars }, i) => {
      const n = times(order[i]);
      cells.drawn.textContent = this.drawn ? number(n) : "";
      bars.share.hidden = !n || n / this.drawn > this.end;
      bars.share.style.left = this.place(this.drawn ? n / this.drawn : 0);
    });
    this.others.cells.drawn.textContent = this.drawn ? number(sum(order.slice(SHOWN).map(times))) : "";
    this.clear.setAttribute("aria-disabled", String(!this.drawn));
    this.tally.textContent = this.drawn ? `${number(this.drawn)} drawn, ${count(this.counts.size, "different token")}.`
      : `Nothing drawn yet. Drawing starts from seed ${SEED}, anew after each change.`;
    const next = this.newest === undefined ? make("span", { class: "mg-next", text: "?" })
      : make("span", { class: "mg-next" }, chipText(this.tokenizer.tokenBytes(this.newest)));
    this.reading.replaceChildren(...spell(new TextEncoder().encode(text)).flatMap(({ kind, text: part }) =>
      (kind === "mark" && part === "·" ? " " : kind === "text" ? part : [make("span", { class: `mg-${kind}`, text: part }), part === "↵" ? "\n" : ""])), next);
  }

  place(probability) { return along(probability, this.end); }

  // Words for those who cannot see it, once the sliders rest.

  announceSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.live.textContent = this.summary; }, ANNOUNCE);
  }

  get summary() {
    const { probabilities, left, entropy } = this.result;
    const [best] = this.context.order;
    return `${this.context.name}, ${settingsInWords(this.settings)}: ${number(left)} of ${count(probabilities.length, "token")} kept, as undecided as among `
      + `${Math.exp(entropy).toFixed(1)} equally probable tokens. Most probable is ${this.spelled(best)} with ${decimals(probabilities[best])}.`;
  }
}

if (!customElements.get("next-token")) customElements.define("next-token", NextToken);
