// <text-playground prompt="HAMLET:\n">: a model writes in the page, the book's or the reader's own
// (model-choice.js). Each token shows what it was drawn from (token-drawn.js), and another can take
// its place. `\n` is a line break.
//
// The chance of place k is always the k-th number of the seed, so the same fields give the same
// text, and a link (playground-link.js) need not hold it. For tests: `element.load()` resolves to
// the model, `element.write()` when writing has ended; `element.ids` are the tokens of the prompt
// and the text, `element.written` how many were written, `element.text` is the whole of it.

import { ownModel, whenModelChanges } from "../../engine/model-in-use.js";
import { END } from "../../engine/tokenizer.js";
import { ModelLoading, WEIGHT } from "../../parts/model-loading.js";
import { count, make, number } from "../../parts/token-chips.js";
import { isMistake, mistake, outOfMemory } from "../../parts/what-failed.js";
import { copyButtons } from "./copy-buttons.js";
import { GrowingText } from "./growing-text.js";
import { ModelChoice } from "./model-choice.js";
import { linkTo, linkToText, readLink } from "./playground-link.js";
import { TokenDrawn } from "./token-drawn.js";
import { readPrompt, tokenSource } from "./token-source.js";
import { WritingFields } from "./writing-fields.js";

const MOST = { press: 400, text: 2000 };  // tokens
const MOST_SCORES = 50e6;   // kept: each token of a text has one for every token of the vocabulary
const KEPT = 10;            // texts to go back to
const WIDE = 576;           // pixels from which on the settings stand open

let instances = 0;

class TextPlayground extends HTMLElement {
  texts = [];        // those before each branch
  turn = 0;          // whoever began last may write

  connectedCallback() {
    if (!this.form) {
      this.build();
      this.readFragment(true);
    }
    this.listen = () => this.readFragment(false);
    addEventListener("hashchange", this.listen);
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.listen);
    this.turn++;
  }

  // Resolves to the model, or to undefined when the page says why there is none.
  load() { return this.loading.load(); }

  get ids() { return this.shown ? [...this.shown.prompt.ids, ...this.shown.tokens.map(({ id }) => id)] : []; }
  get written() { return this.shown?.tokens.length ?? 0; }
  get text() { return this.model?.tokenizer.decode(this.ids) ?? ""; }
  get writing() { return this.writer === this.turn; }

  build() {
    const id = `text-playground-${++instances}`;
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.form = new WritingFields({
      id, prompt: this.getAttribute("prompt"), most: MOST.press, open: this.clientWidth >= WIDE,
      write: () => this.write(), say: (text) => this.say(text),
    });

    this.start = button("Write", () => (this.writing ? this.stop() : this.write()), { "data-action": "write" });
    this.more = button("Go on", () => this.goOn());
    this.undo = button("Back to the text before", () => this.back());
    this.again = button("Try again", () => this.wish?.(), { hidden: true });
    this.loading = new ModelLoading((model) => this.ready(model));
    // Its own button is for trying again: here it is Write that loads.
    this.loading.button.hidden = true;
    this.loading.button.addEventListener("click", () => { this.retried = true; });
    this.loading.message.textContent = `The model (${WEIGHT}) is loaded once, at the first press at the latest.`;
    this.choice = new ModelChoice(this);
    whenModelChanges(() => this.forget());
    this.message = make("p", { class: "mg-message", role: "status" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.view = new GrowingText((at) => this.choose(at), this.live);
    this.speed = make("p", { class: "mg-note mg-speed" });
    this.copies = copyButtons({ text: () => this.text, link: () => this.link, say: (text) => this.say(text) });
    this.drawn = new TokenDrawn((token) => this.branch(token));
    this.replaceChildren(
      this.choice.node,
      ...this.form.nodes,
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Write" }, this.start, this.more, this.undo),
      make("div", { class: "mg-told" }, this.loading.node, this.message, this.again),
      this.view.node,
      make("p", { class: "mg-note mg-legend" }, make("b", { text: "bold" }), ": the prompt; ",
        make("span", { class: "mg-by-hand", text: "underlined twice" }), ": put in by you"),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Copy" }, ...this.copies, this.speed),
      this.drawn.node, this.live);
    this.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.writing) this.stop(); });
    this.showState();
  }

  get fields() { return this.form.values; }

  // Writing. One at a time: each begins when the one before has ended.

  // For its picture: a text.
  pose() { return this.write(); }

  // Begin a text from its prompt; resolves when writing has ended.
  write() {
    this.say("");
    const fields = this.fields;
    const plan = this.planFor(fields);
    return this.begin(fields, {
      plan,
      length: plan?.written ?? fields.tokens,
      prepare: (model) => {
        const prompt = readPrompt(fields.prompt, model);
        this.say(prompt.remark);
        this.texts = [];
        this.drawn.clear();
        this.chosen = undefined;
        this.shown = { prompt, tokens: [] };
        this.showText();
      },
    });
  }

  // Go on from the end.
  goOn() {
    if (this.writing || !this.shown) return undefined;
    this.say("");
    const fields = this.fields;
    const { length } = this.shown.tokens;
    return this.begin(fields, { length: length + fields.tokens });
  }

  // Put another token in the chosen one's place, and go on from there.
  branch(id) {
    this.say("");
    const at = this.chosen;
    const fields = this.fields;
    return this.begin(fields, {
      length: at + fields.tokens,
      prepare: () => {
        this.texts.push(this.shown);
        while (this.texts.length > KEPT || this.scoresKept > MOST_SCORES) this.texts.shift();
        const { prompt, tokens } = this.shown;
        this.shown = { prompt, tokens: [...tokens.slice(0, at), { ...tokens[at], id, byHand: true }] };
        this.showText();
        this.showChosen(at);
      },
    });
  }

  // The text before the last branch.
  async back() {
    if (!this.texts.length) return;
    this.stop();
    const { turn } = this;
    await this.running;
    if (turn !== this.turn || !this.texts.length) return;  // something else was begun meanwhile
    const at = this.chosen;
    this.shown = this.texts.pop();
    this.showText();
    if (this.shown.tokens[at]) this.showChosen(at);
    else {
      this.drawn.clear();
      this.chosen = undefined;
    }
    this.say(`Back to the text before: ${count(this.written, "token")}.`);
    this.showState();
  }

  // After the token at hand.
  stop() {
    this.turn++;
    this.showState();
  }

  async begin(fields, job) {
    const turn = ++this.turn;
    this.wish = undefined;
    this.retried = false;
    await this.running;
    if (turn !== this.turn) return;
    this.writer = turn;
    this.showState();
    this.running = this.work(turn, fields, job).catch((error) => {
      if (turn !== this.turn) return;
      const stays = this.written ? " What it wrote so far stays." : "";
      const why = outOfMemory(error) ? "this device has too little memory" : error.message;
      this.say(isMistake(error) ? mistake(error) + stays
        : `The model stopped: ${why}.${stays} Press “Try again”, or reload the page.`);
      this.wish = () => {
        this.say("");
        return this.begin(fields, job);
      };
    });
    await this.running;
    this.running = undefined;
    if (this.writer === turn) this.writer = undefined;
    this.showState();
  }

  async work(turn, fields, job) {
    const model = await this.load();
    if (!model) {
      if (turn === this.turn) this.wish = () => this.write();  // nothing else is possible without a model
      return;
    }
    if (turn !== this.turn) return;
    try {
      job.prepare?.(model);
    } catch (error) {
      if (isMistake(error)) throw error;
      this.say(`The prompt cannot be read. ${error.message}.`);  // by a tokenizer of characters
      return;
    }
    job.prepare = undefined;  // trying again goes on with what there is
    await this.extend(turn, model, fields, job);
  }

  async extend(turn, model, fields, { length, plan }) {
    const { tokens } = this.shown;
    const from = tokens.length;
    const began = performance.now();
    const { vocab_size: size } = model.config;
    const most = Math.min(MOST.text, Math.floor(MOST_SCORES / model.tokenizer.size));
    const [, unknown] = plan?.branches.find(([, id]) => id >= size) ?? [];
    if (unknown !== undefined) {
      this.say(`The link puts in token ${unknown}, but the model’s last is ${number(size - 1)}: change a field, and “Write” begins without the link’s tokens.`);
      return;
    }
    const next = tokenSource(model, this.shown, fields, plan);
    this.view.startTelling();
    try {
      while (tokens.length < Math.min(length, most) && turn === this.turn) {
        const token = await next();
        if (this.shown?.tokens !== tokens) return;  // of a model that was changed meanwhile
        tokens.push(token);
        this.view.paintSoon(token);
        if (token.id === model.tokenizer.end && !plan) {
          this.say(`The model ended the text here, with ${END}. “Go on” begins another.`);
          break;
        }
      }
    } finally {
      this.view.paintRest();
      const made = tokens.length - from;
      const seconds = (performance.now() - began) / 1000;
      if (made) this.speed.textContent = `${count(made, "token")} in ${seconds.toFixed(1)} s: ${(made / seconds).toFixed(0)} a second`;
      this.view.stopTelling(`Written: ${count(made, "token")}.`);
    }
    if (tokens.length >= most) {
      this.say(`The text has ${number(most)} tokens, as many as the page keeps. “Write” begins anew.`);
    }
  }

  ready(model) {
    this.model = model;
    if (this.retried) this.start.focus();
    this.retried = false;
    this.wish?.();
  }

  // Another model: nothing of the one before stays.
  forget() {
    this.stop();
    this.say("");
    this.shown = this.chosen = this.wish = undefined;
    this.texts = [];
    this.drawn.clear();
    this.view.clear();
    this.speed.textContent = "";
    this.showState();
  }

  // By all texts that there are to go back to; tokens that they share are the same.
  get scoresKept() {
    const tokens = new Set([this.shown, ...this.texts].flatMap((text) => text.tokens));
    return tokens.size * this.model.tokenizer.size;
  }

  // What is shown

  say(text) { this.message.textContent = text; }

  showText() { this.view.show(this.model.tokenizer, this.shown, this.chosen); }

  showState() {
    const off = (button, is) => button.setAttribute("aria-disabled", String(Boolean(is)));
    this.start.textContent = this.writing ? "Stop" : "Write";
    off(this.more, this.writing || !this.shown);
    off(this.undo, !this.texts.length);
    off(this.copies[0], !this.shown);
    this.again.hidden = !this.wish || !this.model;
    this.dataset.state = this.writing ? "writing" : "waiting";
  }

  choose(at) {
    this.showChosen(at);
    this.live.textContent = this.drawn.summary;
    this.drawn.title.scrollIntoView({ block: "nearest" });
  }

  showChosen(at) {
    this.chosen = at;
    this.view.mark(at);
    this.drawn.show(this.model.tokenizer, this.shown.tokens[at], at);
  }

  // Links

  // What the address says: fill it in, and wait for the reader's press.
  readFragment(first) {
    let link;
    try {
      link = readLink(location.hash, { stops: this.form.stops, most: MOST });
    } catch (error) {
      this.say(`The link to a text is damaged: ${error.message}. ${first ? "The fields are as at the beginning." : "Nothing was filled in."}`);
      return;
    }
    if (!link) return;
    this.stop();
    this.form.fill(link);
    const { branches, changes, written } = link;
    this.plan = { fields: JSON.stringify(this.fields), branches, changes, written };
    const many = branches.length ? `, of which ${count(branches.length, "was", "were")} put in by hand` : "";
    this.say(written && ownModel() ? "From a link to a text of the book’s model: this one will write another. For that very text, go back to the book’s model. Press Write."
      : written ? `From a link: a text of ${count(written, "token")}${many}. Press Write.` : "Filled in from a link. Press Write.");
    if (first) this.scrollIntoView({ behavior: "instant" });
  }

  // What a link says beyond the fields holds as long as the fields are the link's, and for the
  // book's model alone: another has other tokens.
  planFor(fields) {
    if (ownModel()) return undefined;
    if (this.plan?.fields !== JSON.stringify(fields)) this.plan = undefined;
    return this.plan;
  }

  // To the text that is shown, or to what the fields say where there is none, or a model of the
  // reader's own.
  get link() {
    const { fields } = this;
    if (!this.written || ownModel()) {
      const plan = this.planFor(fields);
      return linkTo({ ...fields, ...plan && { branches: plan.branches, changes: plan.changes, written: plan.written } });
    }
    return linkToText(this.shown, fields.tokens);
  }
}

if (!customElements.get("text-playground")) customElements.define("text-playground", TextPlayground);
