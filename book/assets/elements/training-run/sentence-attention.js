// What one head looks at in a sentence, as a map: a row for each token that looks, a column for each
// that is looked at. The sentence, the head and the token are the reader's choice.

import { describe } from "../../parts/attention-in-words.js";
import { count, make, number } from "../../parts/token-chips.js";
import { tokenName } from "../../parts/token-name.js";
import { WeightMap } from "../../parts/weight-map.js";
import { WeightTable } from "../../parts/weight-table.js";
import { whyNoRun } from "./why-no-run.js";

const SHOWN = 48;   // characters at most: the map's cells must stay large enough to be seen

export class SentenceAttention {
  backward = false;   // as WeightMap and its words take it: who is looked at, not by whom
  bytes = [];
  pinned = 0;

  constructor({ id, attend, announce }) {
    Object.assign(this, { attend, announce });
    this.title = make("p", { class: "mg-title" });
    this.input = make("input", {
      type: "text", id: `${id}-sentence`, class: "mg-input", maxlength: SHOWN, dir: "auto", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      input: () => { this.own = true; this.ask(); },
    });
    this.heads = make("select", { id: `${id}-head`, class: "mg-input", change: () => this.tell() });
    this.tokens = make("select", { id: `${id}-token`, class: "mg-input", change: () => this.pin(Number(this.tokens.value)) });
    this.picture = new WeightMap(this, {
      role: "img", class: "mg-map",
      click: (event) => this.pin(this.picture.cellAt(event)?.[0]),
    });
    this.message = make("p", { class: "mg-attention-words" });
    this.numbers = new WeightTable(this);
    const field = (label, input) => make("div", {}, make("label", { class: "mg-label", for: input.id, text: label }), input);
    this.node = make("div", {}, this.title, field("Sentence", this.input),
      make("div", { class: "mg-choices" }, field("Head", this.heads), field("From token", this.tokens)),
      this.picture.canvas, this.message, this.numbers.node);
  }

  clear() {
    this.maps = undefined;
    this.bytes = [];
    this.wanted = undefined;
    this.title.textContent = "Attention";
    this.picture.canvas.setAttribute("aria-label", "An attention map; it comes with the training.");
    this.numbers.name("The numbers of the map");
    this.say("No head has looked at anything yet.");
    this.fill(this.heads, ["Block 1, head 1"], 0);
    this.fill(this.tokens, ["–"], 0);
    this.draw();
  }

  // step: whose weights look. sentence: shown while the reader has written none.
  show(step, sentence) {
    if (!this.own) this.input.value = sentence;
    this.wanted = step;
    return this.ask();
  }

  // One question at a time: of those that come meanwhile, the last one is asked.
  async ask() {
    this.again = true;
    if (this.asking) return;
    this.asking = true;
    while (this.again && this.wanted !== undefined) {
      this.again = false;
      try {
        const told = await this.attend({ step: this.wanted, text: this.input.value });
        if (told && this.wanted !== undefined) this.take(told);
        else if (!told) this.say("The heads look again when the run goes on.");
      } catch (error) {
        this.say(whyNoRun(error));
        this.announce(whyNoRun(error));
      }
    }
    this.asking = false;
  }

  take({ step, bytes, maps, left }) {
    const head = Number(this.heads.value) || 0;
    const fresh = bytes.length !== this.bytes.length;
    Object.assign(this, { step, bytes, maps, left });
    if (fresh) this.pinned = bytes.length - 1;
    const names = maps.flatMap((heads, block) => heads.map((_, i) => `Block ${block + 1}, head ${i + 1}`));
    this.fill(this.heads, names, Math.min(head, names.length - 1));
    this.fill(this.tokens, bytes.map((_, i) => `${i + 1}: ${this.named(i)}`), this.pinned);
    this.tell();
  }

  fill(select, names, chosen) {
    if (names.join("\n") !== select.dataset.names) select.replaceChildren(...names.map((text, value) => make("option", { value, text })));
    select.dataset.names = names.join("\n");
    select.value = chosen;
  }

  pin(token) {
    if (token === undefined || !this.maps) return;
    this.pinned = token;
    this.tokens.value = token;
    this.tell();
    this.announce(this.message.textContent);
  }

  tell() {
    if (!this.maps) return;
    const name = this.heads.selectedOptions[0].text.toLowerCase();
    this.title.textContent = `Attention after ${count(this.step, "step")}${this.step === this.wanted ? "" : `, the closest to ${number(this.wanted)} that is kept`}`;
    this.say(`${describe(this, this.pinned)}${this.left ? ` The model reads ${this.size} tokens at once; the rest is left out.` : ""}`);
    this.picture.canvas.setAttribute("aria-label", `The weights of ${name} as a map; the table after it holds its ${this.size} rows and columns.`);
    this.numbers.name(`The numbers of ${name}`);
    this.numbers.draw();
    this.draw();
  }

  say(text) { if (this.message.textContent !== text) this.message.textContent = text; }
  draw() {
    const { canvas } = this.picture;
    if (this.maps) this.picture.draw();
    else canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  // As WeightMap, WeightTable and the words read them.
  get size() { return this.bytes.length; }
  get current() { return this.pinned; }
  get ids() { return this.bytes.map(String); }
  get shownMap() { return this.maps.flat()[Number(this.heads.value)]; }
  weight(query, key) { return this.shownMap[query * this.size + key]; }
  named(i) { return tokenName(this.bytes[i]); }
}
