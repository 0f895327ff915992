// <attention-explorer example="2" layer="1" head="3" token="5">: choose a text, a head and a
// token, and see where it looks. All four attributes count from 1 and may be left out. With
// source="given" there is no box and no loading: another element calls `show`. A reader's choice
// of a token is told by the event "token-chosen", its `detail` the token's place, from 0; that of a
// head by "head-chosen".
//
// The model (minigpt/attention/attention_only.py) is fetched when the element comes near the screen and
// runs in the page. For tests: `element.load()` resolves when it is there, `element.model` and
// `element.tokenizer` are what it loaded, `element.maps[layer][head]` are the weights shown.

import { AttentionOnly } from "../../engine/attention-only.js";
import { describe, describeCell, percent, summarize, WRITTEN } from "../../parts/attention-in-words.js";
import { whenNear } from "../../parts/near.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { chipText, count, loadVocabulary, make } from "../../parts/token-chips.js";
import { tokenName } from "../../parts/token-name.js";
import { paint, tint, WeightMap } from "../../parts/weight-map.js";
import { WeightTable } from "../../parts/weight-table.js";
import { whatFailed } from "../../parts/what-failed.js";
import "../attention-steps/attention-steps.js";
import { EXAMPLES, hint } from "./examples.js";
import { OwnStepsFold } from "./own-steps-fold.js";

const MODEL = new URL("../../models/attention-only", import.meta.url);
const SHOWN = 48;        // tokens at most, or the cells of the map become too small for a finger
const ANNOUNCE = 1000;   // milliseconds without typing before a screen reader is told

let instances = 0;
let loading;  // one model for all explorers of a page

function loadModel() {
  loading ??= Promise.all([AttentionOnly.fetch(MODEL), loadVocabulary("shakespeare")]);
  loading.catch(() => { loading = undefined; });  // so that a second attempt asks again
  return loading;
}

class AttentionExplorer extends HTMLElement {
  layer = 0;
  head = 0;
  pinned = 0;             // the token that stays chosen
  hovered = undefined;    // the one that the pointer is on
  cell = undefined;       // [query, key] under the pointer, on the map
  backward = false;       // true: who looks at the chosen token
  maps = [];
  bytes = [];

  connectedCallback() {
    if (this.body) return;
    this.build();
    if (!this.given) whenNear(this, () => this.load());
    new ResizeObserver(() => this.picture.draw()).observe(this.figure);
    new MutationObserver(() => { this.drawSmallMaps(); this.picture.draw(); })
      .observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  get given() { return this.getAttribute("source") === "given"; }

  build() {
    const id = `attention-explorer-${++instances}`;
    const example = EXAMPLES[(Number(this.getAttribute("example")) || 1) - 1] ?? EXAMPLES[0];
    this.input = make("textarea", {
      id: `${id}-text`, class: "mg-input", rows: 3, dir: "auto", spellcheck: "false",
      autocomplete: "off", autocapitalize: "off", input: () => this.read(ANNOUNCE),
    });
    this.input.value = example.text;
    const examples = EXAMPLES.map(({ label, name, text }) => make("button", {
      type: "button", class: "mg-button", "aria-label": name, "data-text": text, text: label,
      click: () => { this.input.value = text; this.read(0); },
    }));
    this.message = make("p", { class: "mg-message" });
    this.retry = make("button", {
      type: "button", class: "mg-button", text: "Try again", hidden: true, click: () => this.load(),
    });
    this.hint = make("p", { class: "mg-hint", hidden: true });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.numbers = new WeightTable(this);
    this.steps = new OwnStepsFold(this, `${id}-steps`);
    this.body = make("div", { class: "mg-explorer", hidden: true },
      this.buildHeads(id), this.buildReading(id), this.steps.node, this.buildMap(), this.numbers.node);
    if (this.given) this.replaceChildren(this.body, this.live);
    else this.replaceChildren(
      make("label", { class: "mg-label", for: `${id}-text`, text: "Type a text, or choose one" }),
      this.input,
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Examples" }, ...examples),
      this.message, this.hint, this.retry, this.body, this.live);
  }

  buildHeads(id) {
    this.heads = make("div", {
      class: "mg-heads", role: "toolbar", "aria-labelledby": `${id}-heads`,
      keydown: (event) => moveFocus(event, this.headButtons, { down: this.maps[0].length }),
      focusin: (event) => keepOneTabStop(event.target, this.headButtons),
    });
    this.headButtons = [];
    this.heading = make("p", { class: "mg-title", id: `${id}-title` });
    this.summary = make("p", { class: "mg-summary" });
    return make("section", { class: "mg-explorer-heads", "aria-labelledby": `${id}-heads` },
      make("p", { class: "mg-title", id: `${id}-heads`, text: "Choose a head" }),
      this.heads, this.heading, this.summary);
  }

  buildReading(id) {
    const direction = (backward, text) => make("button", {
      type: "button", class: "mg-button", "aria-pressed": String(!backward), text,
      click: (event) => {
        this.backward = backward;
        press([...this.directions.children], event.currentTarget);
        this.drawToken();
        this.announce(this.sentence.textContent);
      },
    });
    this.directions = make("div", { class: "mg-directions", role: "group", "aria-label": "Direction" },
      direction(false, "Where it looks"), direction(true, "Who looks at it"));
    const at = (event) => this.chips.indexOf(event.target.closest(".mg-look"));
    const hover = (i) => { this.hovered = i < 0 ? undefined : i; this.drawToken(); };
    this.tokens = make("div", {
      class: "mg-looks", role: "toolbar", "aria-label": "Tokens", dir: "ltr",
      keydown: (event) => moveFocus(event, this.chips),
      focusin: (event) => this.pin(at(event)),
      click: (event) => this.pin(at(event)),  // Safari gives a clicked button no focus
      pointerover: (event) => { if (event.pointerType !== "touch") hover(at(event)); },
      pointerleave: () => hover(-1),
    });
    this.chips = [];
    this.sentence = make("p", { class: "mg-sentence" });
    const samples = [0, 0.02, 0.1, 0.3, 1].map((weight) =>
      tinted(make("span", { class: "mg-tint", text: percent(weight) }), weight));
    return make("section", { class: "mg-explorer-reading", "aria-labelledby": `${id}-title` },
      this.directions, this.tokens, this.sentence, this.steps.button,
      make("p", { class: "mg-legend" }, "Tints: ", ...samples,
        " A dashed frame: no look is possible, as no token sees a later one."));
  }

  buildMap() {
    const token = (cell) => cell?.[this.backward ? 1 : 0];
    const hover = (cell) => { this.cell = cell; this.hovered = token(cell); this.drawToken(); };
    this.picture = new WeightMap(this, {
      role: "img",
      pointermove: (event) => { if (event.pointerType !== "touch") hover(this.picture.cellAt(event)); },
      pointerleave: (event) => { if (event.pointerType !== "touch") hover(undefined); },
      click: (event) => {
        const cell = this.picture.cellAt(event);
        if (cell) this.pin(token(cell), cell);
      },
    });
    this.readout = make("p", { class: "mg-readout" });
    this.figure = make("figure", { class: "mg-explorer-map" }, this.picture.canvas,
      make("figcaption", {},
        make("p", { text: "Each row is a token that looks, each column a token that is looked at." }), this.readout));
    return this.figure;
  }

  // Resolves when the model is there, or when the page says that it is not.
  load() {
    this.attempt ??= this.tryToLoad().finally(() => { this.attempt = undefined; });
    return this.attempt;
  }

  async tryToLoad() {
    if (this.model || this.given) return;
    this.dataset.state = "loading";
    this.say("Loading the model …");
    try {
      [this.model, this.tokenizer] = await loadModel();
    } catch (error) {
      this.dataset.state = "failed";
      this.say(whatFailed("the model", error));
      this.retry.hidden = false;
      this.announce(this.message.textContent);
      return;
    }
    this.dataset.state = "ready";
    const { n_layer, n_head } = this.model.config;
    const start = (name, limit) => Math.min(Math.max(Number(this.getAttribute(name)) || 1, 1), limit) - 1;
    this.layer = start("layer", n_layer);
    this.head = start("head", n_head);
    const retried = document.activeElement === this.retry;
    this.retry.hidden = true;
    this.read();
    if (this.hasAttribute("token")) {
      this.pinned = start("token", this.bytes.length);
      this.drawToken();
    }
    if (retried) (this.chips[this.pinned] ?? this.input).focus();
  }

  // Encode what stands in the box and run the model. `pause`: when to tell a screen reader.
  read(pause) {
    if (!this.model) return;
    const limit = Math.min(SHOWN, this.model.config.context_length);
    const all = this.tokenizer.encode(this.input.value);
    const ids = all.slice(0, limit);
    this.show({ config: this.model.config, tokenizer: this.tokenizer, ids, ...this.model.run(ids) });
    this.hint.textContent = hint(this.input.value, { ids, maps: this.maps, named: (i) => this.named(i) });
    this.hint.hidden = !this.hint.textContent;
    this.say("");
    if (all.length === 0) this.say("Type something, and its tokens appear here.");
    if (all.length > limit) {
      this.say(`The text has ${count(all.length, "token")}; the first ${limit} are shown. `
        + "The others change nothing for them, as no token sees a later one.");
    }
    if (pause === undefined) return;
    const told = [`${count(all.length, "token")}.`, this.message.textContent];
    if (all.length) told.push(this.hint.textContent, this.sentence.textContent);
    this.announce(told.join(" "), pause);
  }

  // Show these tokens. maps[layer][head]: T × T weights, row after row; qkv[layer], where there are
  // steps to show: T × 3C queries, keys and values. `layer` and `head` count from 0.
  show({ config, tokenizer, ids, maps, qkv, layer = this.layer, head = this.head }) {
    Object.assign(this, { tokenizer, ids, maps, qkv, layer, head });
    const { n_layer, n_head } = config;
    if (this.headButtons.length !== n_layer * n_head) this.drawHeadButtons(n_layer, n_head);
    this.bytes = ids.map((id) => tokenizer.tokenBytes(id));
    this.pinned = Math.max(0, ids.length - 1);
    this.hovered = this.cell = undefined;
    this.body.hidden = ids.length === 0;
    this.drawTokens();
    this.drawSmallMaps();
    this.drawHead();
  }

  // Choose a token from outside: nothing is announced.
  point(i) {
    if (i === this.pinned) return;
    this.pinned = i;
    this.hovered = this.cell = undefined;
    this.drawToken();
    this.steps.draw();
  }

  // Choose a head from outside: nothing is announced.
  pointHead(layer, head) {
    this.layer = layer;
    this.head = head;
    this.drawHead();
  }

  choose(layer, head) {
    this.pointHead(layer, head);
    this.dispatchEvent(new CustomEvent("head-chosen"));
    this.announce(`${this.heading.textContent}. ${this.summary.textContent} ${this.sentence.textContent}`);
  }

  pin(i, cell) {
    if (i < 0) return;
    this.hovered = undefined;
    this.cell = cell;
    if (i !== this.pinned) {
      this.pinned = i;
      this.announce(describe(this, i));
      this.dispatchEvent(new CustomEvent("token-chosen", { detail: i }));
      this.steps.draw();
    }
    this.drawToken();
  }

  say(text) { this.message.textContent = text; }

  announce(text, pause = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.live.textContent = text; }, pause);
  }

  get size() { return this.bytes.length; }
  get current() { return this.hovered ?? this.pinned; }
  get shownMap() { return this.maps[this.layer][this.head]; }
  weight(query, key) { return this.shownMap[query * this.size + key]; }

  named(i) { return tokenName(this.bytes[i]); }

  drawHeadButtons(layers, heads) {
    this.heads.replaceChildren(...Array.from({ length: layers }, (_, layer) =>
      make("div", { class: "mg-head-row" },
        make("span", { class: "mg-head-layer", text: `Layer ${layer + 1}` }),
        ...Array.from({ length: heads }, (_, head) => make("button", {
          type: "button", class: "mg-head", tabindex: -1, "aria-label": `Layer ${layer + 1}, head ${head + 1}`,
          click: () => this.choose(layer, head),
        }, make("canvas"), make("span", { text: `Head ${head + 1}` }))))));
    this.headButtons = [...this.heads.querySelectorAll("button")];
    keepOneTabStop(this.headButtons[this.layer * heads + this.head], this.headButtons);
  }

  drawTokens() {
    this.tokens.replaceChildren();
    this.chips = this.bytes.map((bytes, i) => {
      const chip = make("button", {
        type: "button", class: "mg-look mg-tint", "aria-label": `token ${i + 1}: ${this.named(i)}`,
      }, chipText(bytes), make("span", { class: "mg-percent" }));
      this.tokens.append(chip);
      if (bytes.at(-1) === 10 && this.bytes[i + 1]?.[0] !== 10) this.tokens.append(make("br"));
      return chip;
    });
  }

  drawHead() {
    if (!this.size) return;
    const name = `Layer ${this.layer + 1}, head ${this.head + 1}`;
    press(this.headButtons, this.headButtons[this.layer * this.maps[0].length + this.head]);
    this.heading.textContent = name;
    this.summary.textContent = summarize(this);
    this.picture.canvas.setAttribute("aria-label",
      `The weights of ${name.toLowerCase()} as a map; the table after it holds its ${this.size} rows and columns.`);
    this.numbers.name(`The numbers of ${name.toLowerCase()}`);
    this.numbers.draw();
    this.steps.draw();
    this.drawToken();
  }

  // Everything that depends on which token is looked at.
  drawToken() {
    if (!this.size) return;
    const at = this.current;
    const weights = this.bytes.map((_, i) => (this.backward ? this.weight(i, at) : this.weight(at, i)));
    // The three strongest are written out as well, as far as they are not nothing.
    const least = Math.min(WRITTEN, Math.max([...weights].sort((a, b) => b - a)[2] ?? 0, 0.005));
    this.chips.forEach((chip, i) => {
      tinted(chip, weights[i]).classList.toggle("mg-apart", this.backward ? i < at : i > at);
      chip.toggleAttribute("data-current", i === at);
      chip.lastChild.textContent = weights[i] >= least ? percent(weights[i]) : "";
    });
    press(this.chips, this.chips[this.pinned]);
    keepOneTabStop(this.chips[this.pinned], this.chips);
    this.sentence.textContent = describe(this, at);
    this.readout.textContent = this.cell
      ? describeCell(this, ...this.cell) : "Point at a cell, or tap it, to read it.";
    this.picture.draw();
  }

  drawSmallMaps() {
    const colours = getComputedStyle(this);
    const maps = this.maps.flat();
    this.headButtons.forEach((button, i) => paint(button.firstChild, maps[i], this.size, colours));
  }
}

function tinted(element, weight) {
  element.style.setProperty("--tint", tint(weight).toFixed(3));
  return element;
}

function press(buttons, chosen) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
}

if (!customElements.get("attention-explorer")) customElements.define("attention-explorer", AttentionExplorer);
