// A text of the reader's and what it is on its way through the model: the box to type
// into, the model's loading, and the trace (gpt-trace.js) of what stands in the box.

import { ModelLoading } from "./model-loading.js";
import { whenNear } from "./near.js";
import { count, make } from "./token-chips.js";
import { isMistake, mistake, outOfMemory } from "./what-failed.js";

const SHOWN = 48;        // tokens at most, as in <attention-explorer>
const WORK = 8e9;        // products at most for a trace: with a large model, that is fewer tokens
const REST = 150;        // milliseconds without typing before the model reads
const PATIENCE = 400;    // milliseconds before a reader is told that the model is still reading
const ANNOUNCE = 1000;   // milliseconds without typing before a screen reader is told

let instances = 0;

export class TracedText {
  // host: the element. `prompt`, its attribute, is the text to begin with, \n a new line in it;
  // with `fixed` nobody can change it. shown: told {trace, ids, tokenizer, model}, or nothing for
  // an empty text. said: a sentence on what is shown, for a screen reader.
  constructor(host, label, { shown, said }) {
    Object.assign(this, { host, shown, said });
    const id = `traced-text-${++instances}`;
    this.fixed = host.hasAttribute("fixed");
    this.input = make("textarea", {
      id, class: "mg-input", rows: 2, dir: "auto", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      readonly: this.fixed, input: () => this.read(REST),
    });
    this.input.value = (host.getAttribute("prompt") ?? "").replaceAll("\\n", "\n");
    this.loading = new ModelLoading((model) => this.take(model));
    this.message = make("p", { class: "mg-message" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.node = make("div", { class: "mg-traced" },
      make("label", { class: "mg-label", for: id, text: label }), this.input,
      this.loading.node, this.message, this.live);
    this.newest = 0;     // counts what was asked for
    this.updated = Promise.resolve();
  }

  // Loads the model when the reader comes near, unless the browser is asked to save data: then
  // when the button is pressed.
  start() {
    this.host.dataset.state = "waiting";
    this.loading.node.addEventListener("click", (event) => {
      if (event.target === this.loading.button) this.load();
    }, { capture: true });  // before the button goes, and its focus with it
    if (!navigator.connection?.saveData) whenNear(this.host, () => this.load());
  }

  // Another model than before reads the text when the reader comes near again.
  take(model) {
    const before = this.model;
    this.model = model;
    if (!before || before === model) return;
    this.newest++;
    this.updated = Promise.resolve();  // or a reading that this ends would wait for itself
    this.trace = undefined;
    this.message.textContent = "";
    this.shown();
    whenNear(this.host, () => this.read());
  }

  // Resolves when the text is shown, or when the page says why it is not.
  load() {
    this.attempt ??= this.tryToLoad().finally(() => { this.attempt = undefined; });
    return this.attempt;
  }

  async tryToLoad() {
    const retried = document.activeElement === this.loading.button;
    this.host.dataset.state = "loading";
    const model = await this.loading.load();
    this.host.dataset.state = model ? "ready" : "failed";
    if (!model) return;
    await (this.trace ? this.updated : this.read());
    if (retried) this.input.focus();
  }

  // Have the model read what stands in the box. `updated` resolves when the newest text is shown.
  read(rest) {
    if (this.model) this.updated = this.update(rest);
    return this.updated;
  }

  // While the model reads one text, only the newest of the others waits.
  async update(rest) {
    const turn = ++this.newest;
    if (rest) await new Promise((resolve) => { setTimeout(resolve, rest); });
    await this.reading;
    if (turn !== this.newest) return this.updated;
    const { model } = this;
    let all = [];
    let error;
    try {
      all = model.tokenizer.encode(this.input.value);
    } catch (problem) {
      error = problem;
    }
    const ids = all.slice(0, Math.min(SHOWN, model.config.n_positions, mostRead(model.config)));
    const slow = setTimeout(() => { this.message.textContent = `The model reads ${count(ids.length, "token")} …`; }, PATIENCE);
    const trace = await (this.reading = ids.length ? model.trace(ids).catch((problem) => { error = problem; }) : undefined);
    clearTimeout(slow);
    if (turn !== this.newest) return this.updated;
    if (!this.host.isConnected) return undefined;  // gone from the page meanwhile
    this.trace = trace;
    this.message.textContent = this.problem(all, ids, error);
    this.shown(trace && { trace, ids, tokenizer: model.tokenizer, model });
    if (rest) this.announce([`${count(all.length, "token")}.`, this.message.textContent, trace ? this.said() : ""].join(" "), ANNOUNCE);
  }

  problem(all, ids, error) {
    if (error && outOfMemory(error)) {
      return `This device has too little memory for this text: shorten it, or close other tabs and reload the page. (${error.message})`;
    }
    if (error && isMistake(error)) return mistake(error);
    if (error) return `The model could not read this text: change it, or reload the page. (${error.message})`;
    if (!all.length) return "Type something, and its tokens appear here.";
    if (all.length === ids.length) return "";
    return `The text has ${count(all.length, "token")}; the first ${ids.length} are shown. `
      + "The others change nothing for them, as no token sees a later one.";
  }

  announce(text, pause = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.live.textContent = text; }, pause);
  }
}

// Tokens that a model can trace in a few seconds: each goes through its blocks, and is scored
// after every one of them.
function mostRead({ vocab_size: V, n_embd: C, n_layer: L }) {
  return Math.max(1, Math.floor(WORK / (12 * L * C * C + (L + 1) * V * C)));
}
