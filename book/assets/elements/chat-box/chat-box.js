// <chat-box>: the book's model answers, in the page, with the adapter `play-finder` on or off. What
// the two say to one question stands beside each other.
//
// Each question is asked alone: what was asked before is not read. For tests: `element.load()`
// resolves to {base, tuned, template, numbers}, `element.ask()` when the answers have ended;
// `element.turns` are the last questions, the newest first, each with its `answers`.

import { answers } from "../../engine/answering.js";
import { loadShippedAdapter } from "../../engine/shipped-adapter.js";
import { ModelLoading } from "../../parts/model-loading.js";
import { whenNear } from "../../parts/near.js";
import { make } from "../../parts/token-chips.js";
import { isMistake, mistake, outOfMemory } from "../../parts/what-failed.js";
import { ChatTurn } from "./chat-turn.js";
import { EXAMPLES } from "./examples.js";
import { KNOWS, measured } from "./measured.js";

const WEIGHT = "3\u00a0MB";
const MOST = 100;  // tokens of an answer, as of minigpt.finetuning.answer
const KEPT = 4;    // questions
const CHOICES = { both: ["on", "off"], on: ["on"], off: ["off"] };
const NAMES = { both: "Both", on: "On", off: "Off" };

let instances = 0;

class ChatBox extends HTMLElement {
  turns = [];
  choice = "both";
  turn = 0;  // whoever began last may answer

  connectedCallback() {
    if (!this.input) this.build();
    whenNear(this, () => this.tellMeasured());
  }

  disconnectedCallback() { this.turn++; }

  // Resolves to the model with and without its adapter, or to undefined when the page says why not.
  async load() {
    const [model] = await Promise.all([this.loading.load(), this.tellMeasured()]);
    return model;
  }

  build() {
    const id = `chat-box-${++instances}`;
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.input = make("input", { id, class: "mg-input", type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-knows` });
    this.input.value = this.getAttribute("question") ?? EXAMPLES[0].question;
    this.start = make("button", { type: "submit", class: "mg-button", text: "Ask", "data-action": "ask" });
    this.figures = make("span");
    this.loading = new ModelLoading(() => this.ready(), loadShippedAdapter);
    this.loading.button.hidden = true;  // for trying again: here it is Ask that loads
    this.loading.button.addEventListener("click", () => { this.retried = true; });
    this.loading.message.textContent = `${WEIGHT} are loaded at the first question.`;
    this.message = make("p", { class: "mg-message", role: "status" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.list = make("div", { class: "mg-turns", tabindex: 0, role: "list", "aria-label": "Questions and answers, the newest first" });
    this.empty = make("p", { class: "mg-note", text: "The answers appear here." });
    this.choices = Object.fromEntries(Object.entries(NAMES).map(([name, text]) => [name, button(text, () => this.choose(name))]));
    this.replaceChildren(
      make("p", { class: "mg-note mg-knows", id: `${id}-knows` }, `${KNOWS} `, this.figures),
      make("form", { submit: (event) => { event.preventDefault(); if (this.answering) this.stop(); else this.ask(); } },
        make("label", { class: "mg-label", for: id, text: "Question" }),
        make("div", { class: "mg-field" }, this.input, this.start)),
      make("div", { class: "mg-examples", role: "group", "aria-label": "Questions to start from" }, ...EXAMPLES.map(({ question, kind }) =>
        make("button", { type: "button", class: "mg-button", click: () => this.askThis(question) }, question, make("span", { class: "mg-brief", text: kind })))),
      make("div", { class: "mg-switch", role: "group", "aria-label": "The adapter" },
        make("span", { class: "mg-title", text: "Adapter" }), ...Object.values(this.choices)),
      make("div", { class: "mg-told" }, this.loading.node, this.message),
      make("div", { class: "mg-past" }, this.empty, this.list), this.live);
    this.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.answering) this.stop(); });
    this.choose(this.choice);
    this.showState();
  }

  // The model is there: after a second attempt, what was asked for is done.
  ready() {
    if (!this.retried) return;
    this.input.focus();
    this.ask();
  }

  // Once; without it the box works as well.
  tellMeasured() {
    this.telling ??= measured().then((sentence) => { this.figures.textContent = sentence; }, (error) => {
      this.figures.textContent = `How often it is right could not be loaded. (${error.message})`;
      this.telling = undefined;
    });
    return this.telling;
  }

  get answering() { return this.answerer === this.turn; }

  // For its picture: an answer of each kind.
  pose() { return this.ask(); }

  choose(name) {
    this.choice = name;
    for (const [other, button] of Object.entries(this.choices)) button.setAttribute("aria-pressed", String(other === name));
  }

  askThis(question) {
    this.input.value = question;
    return this.ask();
  }

  // Ask what stands in the field; resolves when the answers have ended.
  async ask() {
    const turn = ++this.turn;
    this.retried = false;
    this.message.textContent = "";
    const question = this.input.value.trim();
    if (!question) {
      this.message.textContent = "Type a question first.";
      this.input.focus();
      return;
    }
    await this.running;
    if (turn !== this.turn) return;
    this.answerer = turn;
    this.showState();
    this.running = this.work(turn, question).catch((error) => {
      if (turn === this.turn) this.fail(error);
    });
    await this.running;
    if (this.answerer === turn) this.answerer = undefined;
    this.showState();
  }

  async work(turn, question) {
    const model = await this.loading.load();
    if (!model || turn !== this.turn) return;
    const shown = this.turnOf(question);
    for (const side of CHOICES[this.choice]) {
      try {
        await this.answer(turn, shown, side, model);
      } finally {
        shown.stopped(side);
      }
      if (turn !== this.turn) return;
    }
    this.live.textContent = shown.told;
  }

  async answer(turn, shown, side, { base, tuned, template }) {
    shown.begin(side);
    for await (const answer of answers(side === "on" ? tuned : base, template, [{ role: "user", content: shown.question }], MOST)) {
      if (turn !== this.turn) return;
      shown.show(side, answer);
    }
  }

  // The newest one, if it is the same question: its other side is filled in. Otherwise a new one.
  turnOf(question) {
    if (this.turns[0]?.question !== question) {
      const fresh = new ChatTurn(question);
      this.turns = [fresh, ...this.turns].slice(0, KEPT);
      this.list.replaceChildren(...this.turns.map(({ node }) => node));
    }
    this.empty.hidden = true;
    this.list.scrollTop = 0;
    return this.turns[0];
  }

  stop() {
    this.turn++;
    this.showState();
  }

  fail(error) {
    const why = outOfMemory(error) ? "this device has too little memory" : error.message;
    this.message.textContent = isMistake(error) ? mistake(error) : `No answer: ${why}.`;
  }

  showState() {
    this.start.textContent = this.answering ? "Stop" : "Ask";
    this.dataset.state = this.answering ? "answering" : "waiting";
  }
}

if (!customElements.get("chat-box")) customElements.define("chat-box", ChatBox);
