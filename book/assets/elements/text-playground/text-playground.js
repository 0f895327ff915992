// <text-playground prompt="HAMLET:\n">: the book's model writes, in the page. Each token shows
// what it was drawn from (token-drawn.js), and another can take its place. `\n` is a line break.
//
// The chance of place k is always the k-th number of the seed, so the same fields give the same
// text, and a link (playground-link.js) need not hold it. For tests: `element.load()` resolves to
// the model, `element.write()` when writing has ended; `element.ids` are the tokens of the prompt
// and the text, `element.written` how many were written, `element.text` is the whole of it.

import { draw, likely, randomNumbers, ranked, sample } from "../../engine/sampling.js";
import { ModelLoading, outOfMemory, WEIGHT } from "../../parts/model-loading.js";
import { equal, PRESETS, SETTINGS, settingsInWords, settingSlider, showSetting } from "../../parts/sampling-settings.js";
import { count, make, number } from "../../parts/token-chips.js";
import { LARGEST_SEED, linkTo, readLink } from "./playground-link.js";
import { TokenDrawn } from "./token-drawn.js";
import { WrittenText } from "./written-text.js";

const EXAMPLES = ["HAMLET:\n", "First Citizen:\nWe are", "My love is like", "What is 2 + 2?"];
const BEGINNING = "\n\n";   // of an empty prompt, as in minigpt generate: a new speech begins after it
const END = "<|endoftext|>";
const SETTINGS_AT_FIRST = PRESETS.find(({ label }) => label === "Careful").settings;
const VOCABULARY = 4096;    // for the stops of top-k before the tokenizer is there
const MOST = { press: 400, text: 2000 };  // tokens; each keeps a score for every token of the vocabulary
const KEPT = 10;            // texts to go back to
const ANNOUNCE = 3000;      // milliseconds between two things that a screen reader is told
const WIDE = 576;           // pixels from which on the settings stand open

let instances = 0;

// Number k, from 0, of a seed's numbers.
function chanceAt(seed, k) {
  const random = randomNumbers(seed);
  for (let i = 0; i < k; i++) random();
  return random();
}

class TextPlayground extends HTMLElement {
  settings = { ...SETTINGS_AT_FIRST };
  texts = [];        // those before each branch
  turn = 0;          // whoever began last may write
  unpainted = [];    // tokens written and not yet in the page

  connectedCallback() {
    if (!this.box) {
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

  // What the reader set

  build() {
    const id = `text-playground-${++instances}`;
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.box = make("textarea", {
      id: `${id}-prompt`, class: "mg-input", spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-hint`,
      keydown: (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        this.write();
      },
    });
    this.box.value = (this.getAttribute("prompt") ?? EXAMPLES[0]).replaceAll("\\n", "\n");
    this.presets = PRESETS.map(({ label, brief, settings }) => make("button", {
      type: "button", class: "mg-button", click: () => this.change(settings),
    }, `${label} `, make("span", { class: "mg-brief", text: brief })));
    this.sliders = SETTINGS.map(({ name }, i) => settingSlider(i, {
      id: `${id}-${name}`, size: VOCABULARY, change: (settings) => this.change(settings),
    }));
    const field = (name, least, greatest, value) => {
      const input = make("input", {
        id: `${id}-${name}`, class: "mg-input", type: "number", inputmode: "numeric", min: least, max: greatest, step: 1, value,
        change: () => this.whole(input),
      });
      return input;
    };
    this.seed = field("seed", 0, LARGEST_SEED, 1);
    this.tokens = field("tokens", 1, MOST.press, 120);
    this.brief = make("span", { class: "mg-note" });
    this.fold = make("details", { class: "mg-fold", open: this.clientWidth >= WIDE },
      make("summary", {}, make("span", { class: "mg-title", text: "Settings" }), " ", this.brief),
      make("div", { class: "mg-presets", role: "group", "aria-label": "Settings to start from" }, ...this.presets),
      make("div", { class: "mg-sliders" }, ...this.sliders.map(({ box }) => box)),
      make("div", { class: "mg-sliders" },
        make("div", {}, make("label", { class: "mg-label", for: this.seed.id, text: "Seed of chance" }),
          make("div", { class: "mg-field" }, this.seed, button("Another", () => this.anotherSeed(), { "aria-label": "Another seed" }))),
        make("div", {}, make("label", { class: "mg-label", for: this.tokens.id, text: "Tokens to write" }),
          make("div", { class: "mg-field" }, this.tokens))));
    this.fold.addEventListener("input", () => this.showFields());

    this.start = button("Write", () => (this.writing ? this.stop() : this.write()), { "data-action": "write" });
    this.more = button("Go on", () => this.goOn());
    this.undo = button("Back to the text before", () => this.back());
    this.again = button("Try again", () => this.wish?.(), { hidden: true });
    this.loading = new ModelLoading((model) => this.ready(model));
    // Its own button is for trying again: here it is Write that loads.
    this.loading.button.hidden = true;
    this.loading.button.addEventListener("click", () => { this.retried = true; });
    this.loading.message.textContent = `The model (${WEIGHT}) is loaded once, at the first press at the latest.`;
    this.message = make("p", { class: "mg-message", role: "status" });
    this.view = new WrittenText((at) => this.choose(at));
    this.view.node.setAttribute("role", "region");
    this.view.node.setAttribute("aria-label", "Text");
    this.empty = make("p", { class: "mg-note", text: "What the model writes appears here." });
    this.view.node.prepend(this.empty);
    this.view.reachable();
    this.speed = make("p", { class: "mg-note mg-speed" });
    this.copies = [
      button("Copy text", () => this.copy(this.text, "Text copied.", "Select the text and copy it by hand.")),
      button("Copy link", () => this.copyLink()),
    ];
    this.drawn = new TokenDrawn((token) => this.branch(token));
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.replaceChildren(
      make("label", { class: "mg-label", for: this.box.id, text: "Prompt: how the text begins" }), this.box,
      make("p", { class: "mg-note mg-keys", id: `${id}-hint`, text: "Ctrl or ⌘ with Enter writes, Escape stops." }),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Prompts to start from" }, ...EXAMPLES.map((prompt) =>
        button(prompt.trimEnd().replaceAll("\n", " ↵ "), () => { this.box.value = prompt; this.box.focus(); }))),
      this.fold,
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Write" }, this.start, this.more, this.undo),
      make("div", { class: "mg-told" }, this.loading.node, this.message, this.again),
      this.view.node,
      make("p", { class: "mg-note mg-legend" }, make("b", { text: "bold" }), ": the prompt; ",
        make("span", { class: "mg-by-hand", text: "underlined twice" }), ": put in by you"),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Copy" }, ...this.copies, this.speed),
      this.drawn.node, this.live);
    this.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.writing) this.stop(); });
    this.showFields();
    this.showState();
  }

  change(settings) {
    this.settings = { ...this.settings, ...settings };
    this.showFields();
  }

  anotherSeed() {
    const old = this.seed.value;
    while (this.seed.value === old) this.seed.value = Math.floor(1e6 * Math.random());
    this.say(`Seed ${this.seed.value}.`);
    this.showFields();
  }

  // A number field's value, brought to the nearest that it allows.
  whole(input) {
    const [least, greatest] = [Number(input.min), Number(input.max)];
    const given = input.valueAsNumber;
    const value = Math.min(greatest, Math.max(least, Math.round(Number.isFinite(given) ? given : Number(input.defaultValue))));
    if (given !== value) {
      input.value = value;
      this.say(`${input.labels[0].textContent}: a whole number from ${number(least)} to ${number(greatest)}, so ${number(value)} is taken.`);
      this.showFields();
    }
    return value;
  }

  get fields() {
    return { prompt: this.box.value, settings: this.settings, seed: this.whole(this.seed), tokens: this.whole(this.tokens) };
  }

  showFields() {
    this.presets.forEach((button, i) => button.setAttribute("aria-pressed", String(equal(PRESETS[i].settings, this.settings))));
    for (const row of this.sliders) showSetting(row, this.settings[row.name]);
    this.brief.textContent = `${settingsInWords(this.settings)}, seed ${this.seed.value}, ${count(this.tokens.valueAsNumber || 0, "token")}`;
  }

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
        this.texts = [];
        this.drawn.clear();
        this.chosen = undefined;
        this.shown = { prompt: this.promptFor(fields.prompt, model), tokens: [] };
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
        if (this.texts.length > KEPT) this.texts.shift();
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
      this.say(`The model stopped: ${why}.${stays} Press “Try again”, or reload the page.`);
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
    job.prepare?.(model);
    job.prepare = undefined;  // trying again goes on with what there is
    await this.extend(turn, model, fields, job);
  }

  async extend(turn, model, { settings, seed }, { length, plan }) {
    const { prompt, tokens } = this.shown;
    const from = tokens.length;
    const began = performance.now();
    const branches = new Map(plan?.branches);
    const changes = new Map(plan?.changes);
    let inForce = plan?.changes.findLast(([at]) => at < from)?.[1] ?? { settings, seed };
    const { vocab_size: size } = model.config;
    const [, unknown] = plan?.branches.find(([, id]) => id >= size) ?? [];
    if (unknown !== undefined) {
      this.say(`The link puts in token ${unknown}, but the model’s last is ${number(size - 1)}: change a field, and “Write” begins without the link’s tokens.`);
      return;
    }
    this.unsaid = "";
    this.saidAt = began;
    this.view.node.setAttribute("aria-busy", "true");
    try {
      while (tokens.length < Math.min(length, MOST.text) && turn === this.turn) {
        const at = tokens.length;
        const scores = await model.scores([...prompt.seen, ...tokens.map(({ id }) => id)]);
        if (!scores.every(Number.isFinite)) throw new Error("its scores are not finite, so nothing can be drawn by them");
        inForce = changes.get(at) ?? inForce;
        const token = { scores, ...inForce, chance: chanceAt(inForce.seed, at), byHand: branches.has(at) };
        token.id = branches.get(at) ?? drawFrom(token);
        tokens.push(token);
        this.paintSoon(token);
        if (isEnd(token.id, model.tokenizer) && !plan) {
          this.say(`The model ended the text here, with ${END}. “Go on” begins another.`);
          break;
        }
      }
    } finally {
      this.view.node.removeAttribute("aria-busy");
      cancelAnimationFrame(this.frame);
      this.paint();
      const made = tokens.length - from;
      const seconds = (performance.now() - began) / 1000;
      if (made) this.speed.textContent = `${count(made, "token")} in ${seconds.toFixed(1)} s: ${(made / seconds).toFixed(0)} a second`;
      this.live.textContent = `${this.unsaid}\nWritten: ${count(made, "token")}.`.trim();
    }
    if (tokens.length >= MOST.text) {
      this.say(`The text has ${number(MOST.text)} tokens, as many as the page keeps. “Write” begins anew.`);
    }
  }

  // {text, ids, seen}: seen is what the model sees of a long one, its end, as in minigpt generate.
  promptFor(text, { tokenizer, config }) {
    if (!text) this.say("The prompt is empty, so the text begins with an empty line: a new speech comes after it.");
    const ids = tokenizer.encode(text || BEGINNING);
    const seen = ids.slice(-config.n_positions);
    if (seen.length < ids.length) {
      this.say(`The prompt has ${number(ids.length)} tokens and the model sees ${number(seen.length)}: the first ${number(ids.length - seen.length)} are forgotten.`);
    }
    return { text, ids, seen };
  }

  ready(model) {
    this.model = model;
    if (this.retried) this.start.focus();
    this.retried = false;
    this.wish?.();
  }

  // What is shown

  say(text) { this.message.textContent = text; }

  showText() {
    this.unpainted = [];
    this.empty.hidden = true;
    this.view.begin(this.model.tokenizer, this.shown.prompt.ids);
    this.view.add(this.shown.tokens);
    this.view.mark(this.chosen);
  }

  // In the next frame, with what else was written until then.
  paintSoon(token) {
    this.unpainted.push(token);
    this.frame ??= requestAnimationFrame(() => {
      this.paint();
      this.tell();
    });
  }

  paint() {
    this.frame = undefined;
    if (this.unpainted.length) this.unsaid += this.view.add(this.unpainted);
    this.unpainted = [];
  }

  // To a screen reader, whole lines or sentences, and not at once.
  tell() {
    const whole = /^[^]*[\n.?!]/.exec(this.unsaid)?.[0];
    if (!whole?.trim() || performance.now() < this.saidAt + ANNOUNCE) return;
    this.live.textContent = whole;
    this.unsaid = this.unsaid.slice(whole.length);
    this.saidAt = performance.now();
  }

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
    const stops = Object.fromEntries(this.sliders.map((row) => [row.name, row.stops]));
    let link;
    try {
      link = readLink(location.hash, { stops, most: MOST });
    } catch (error) {
      this.say(`The link to a text is damaged: ${error.message}. ${first ? "The fields are as at the beginning." : "Nothing was filled in."}`);
      return;
    }
    if (!link) return;
    this.stop();
    this.box.value = link.prompt ?? this.box.value;
    this.settings = { ...SETTINGS_AT_FIRST, ...link.settings };
    this.seed.value = link.seed ?? this.seed.defaultValue;
    this.tokens.value = link.tokens ?? this.tokens.defaultValue;
    this.showFields();
    const { branches, changes, written } = link;
    this.plan = { fields: JSON.stringify(this.fields), branches, changes, written };
    const many = branches.length ? `, of which ${count(branches.length, "was", "were")} put in by hand` : "";
    this.say(written ? `From a link: a text of ${count(written, "token")}${many}. Press Write.` : "Filled in from a link. Press Write.");
    if (first) this.scrollIntoView({ behavior: "instant" });
  }

  // What a link says beyond the fields holds as long as the fields are the link's.
  planFor(fields) {
    if (this.plan?.fields !== JSON.stringify(fields)) this.plan = undefined;
    return this.plan;
  }

  // To the text that is shown, or to what the fields say where there is none.
  get link() {
    const { fields } = this;
    if (!this.written) {
      const plan = this.planFor(fields);
      return linkTo({ ...fields, ...plan && { branches: plan.branches, changes: plan.changes, written: plan.written } });
    }
    const { prompt, tokens } = this.shown;
    const [{ settings, seed }] = tokens;
    const places = [...tokens.keys()];
    return linkTo({
      prompt: prompt.text, settings, seed, tokens: fields.tokens, written: tokens.length,
      branches: places.filter((at) => tokens[at].byHand).map((at) => [at, tokens[at].id]),
      changes: places.filter((at) => at && !(tokens[at].seed === tokens[at - 1].seed && equal(tokens[at].settings, tokens[at - 1].settings)))
        .map((at) => [at, { settings: tokens[at].settings, seed: tokens[at].seed }]),
    });
  }

  copyLink() {
    history.replaceState(history.state, "", this.link);
    return this.copy(location.href, "Link copied; it is in the address bar too.", "The link is in the address bar: copy it from there.");
  }

  async copy(text, done, instead) {
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text);
      this.say(done);
    } catch {
      this.say(`The browser did not allow copying. ${instead}`);
    }
  }
}

// Special tokens come after the last merge.
const isEnd = (id, { size, special }) => special[id - (size - special.length)] === END;

function drawFrom({ scores, settings, chance }) {
  const exact = Float64Array.from(scores);
  const { probabilities } = sample(exact, settings);
  return draw(probabilities, ranked(exact, likely(probabilities, Number.MIN_VALUE)), chance);
}

if (!customElements.get("text-playground")) customElements.define("text-playground", TextPlayground);
