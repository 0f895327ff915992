// <training-run text="shakespeare" size="28 thousand" steps="1000" rate="0.01" tokens="characters"
// keep="a name" experiments="rate-high batch-one" inside simple compact>: a GPT that learns in the
// page, on a text of the book's or the reader's (engine/training). All attributes may be left out.
// With `keep` the run is kept in the browser under that name. `inside` shows gradients and
// attention, step by step; `simple` has no settings but its experiments, in the words of the first
// chapter; `compact` is one button, its curve and what it writes, and nothing is fetched before it
// is pressed.
//
// For tests: `element.load()` resolves when all is there, `element.train({steps: …})` when a run with
// these changes has ended or stands.

import { fetchedJson, NetworkError } from "../../engine/fetched.js";
import { FetchedElement } from "../../parts/fetched-element.js";
import { make } from "../../parts/token-chips.js";

const FILE = new URL("../../training/recipe.json", import.meta.url);
const POSED = { steps: 300 };

// A script that does not come is the network's fault.
async function loadBoard() {
  try {
    return await import("./training-board.js");
  } catch (error) {
    throw error.name === "TypeError" ? new NetworkError(error.message) : error;
  }
}

class TrainingRunElement extends FetchedElement {
  what = "the trainer";

  connectedCallback() {
    if (this.message) return;
    if (!this.hasAttribute("compact")) {
      super.connectedCallback();
      return;
    }
    this.start = make("button", { type: "button", class: "mg-button", "data-action": "train", text: "Train a GPT in this page", click: () => this.press() });
    this.message = make("p", { class: "mg-message", role: "status" });
    this.retry = make("button", { type: "button", class: "mg-button", text: "Try again", hidden: true, click: () => this.press() });
    this.offer = make("p", { class: "mg-note", text: "It starts as noise and learns to write from Shakespeare, in about the time that the next paragraph takes. Your device does the work; nothing is sent anywhere." });
    this.replaceChildren(make("div", { class: "mg-buttons" }, this.start, this.retry), this.message, this.offer);
    this.dataset.far = "";  // on paper, words for its picture
  }

  // Of a compact one nothing is loaded unless it is wanted: not for a printer either.
  load() {
    return this.hasAttribute("compact") && !this.wanted ? undefined : super.load();
  }

  disconnectedCallback() { this.board?.leave(); }

  async press() {
    const focused = this.contains(document.activeElement);
    this.want();
    await this.load();
    if (!this.board) return;
    if (focused) this.first.focus();
    this.board.train();
  }

  async fetchData() {
    [{ TrainingBoard: this.Board }, this.data] = await Promise.all([loadBoard(), fetchedJson(FILE)]);
  }

  begin() {
    this.board = new this.Board(this, this.data);
    this.replaceChildren(...this.board.nodes);
    this.board.began();
  }

  get first() { return this.board.button; }

  want() {
    this.wanted = true;
    delete this.dataset.far;
  }

  async train(changes) {
    this.want();
    await this.load();
    return this.board?.train(changes);
  }

  // For its picture: a short run, or what there is to choose from.
  async pose() {
    if (!this.hasAttribute("simple")) return this.train(POSED);
    await this.load();
    for (const name of this.board?.experiments ?? []) await this.board.try(name);
  }
}

if (!customElements.get("training-run")) customElements.define("training-run", TrainingRunElement);
