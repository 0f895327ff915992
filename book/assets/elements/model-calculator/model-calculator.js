// <model-calculator preset="gpt2">: choose the sizes of a GPT and see what it costs.
//
// `element.config` holds the sizes under the names of minigpt's GPTConfig, and may be set;
// `element.ledger` holds the exact numbers behind what is shown.

import { count, make, number } from "../../parts/token-chips.js";
import { divisors, LIMITS, checkConfig, modelLedger, nearestDivisor, parameterCount, PRESETS } from "./model-ledger.js";

const ANNOUNCE = 700;         // milliseconds without a change before a screen reader is told
const SCALE = [3, 12];        // the ends of the scale of parameters, as powers of 10
const DECADES = { 3: "1 k", 6: "1 M", 9: "1 B", 12: "1 T" };
const LABELLED = 0.06;        // from this share on a part of the bar has room for its number

const SIZES = [
  { name: "n_layer", label: "Blocks" },
  { name: "n_embd", label: "Width" },
  { name: "n_head", label: "Heads" },
  { name: "vocab_size", label: "Vocabulary" },
  { name: "context_length", label: "Context" },
];

const PARTS = [
  { name: "token_embedding", label: "token table" },
  { name: "position_embedding", label: "position table" },
  { name: "attention", label: "attention" },
  { name: "mlp", label: "MLP" },
  { name: "norms", label: "norms" },
  { name: "lm_head", label: "head" },
];

const bytes = (n) => short(n, "kMGTP", "B");
const flop = (n) => short(n, "kMGTP", "FLOP");
const tokens = ({ context_length: n }) => count(n, "token");

const COSTS = [
  { title: () => "Weights", rows: [
    ["float32_bytes", "in float32", bytes],
    ["float16_bytes", "in float16", bytes],
    ["adamw_bytes", "training with AdamW: weight, gradient, two averages", bytes],
  ] },
  { title: (config) => `Memory for ${tokens(config)}`, rows: [
    ["activation_bytes", "activations kept for backward, float32", bytes],
    ["kv_cache_bytes", "KV cache, float16", bytes],
    ["kv_cache_bytes_per_token", "KV cache a token", bytes],
  ] },
  { title: (config) => `Arithmetic for ${tokens(config)}`, rows: [
    ["flops", "forward pass", flop],
    ["flops_per_token", "a token", flop],
  ] },
];

// "from, step, to": evenly within a range, wider from range to range.
const ranges = (...all) => all.flatMap(([from, step, to]) =>
  Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step));
const octaves = (from, to) => ranges([from, 1, to]).filter((n) => Number.isInteger(Math.log2(n)) || Number.isInteger(Math.log2(n / 3)));

// What the sliders offer. The heads' depend on the width.
const STOPS = {
  n_layer: ranges([1, 1, LIMITS.n_layer]),
  n_embd: ranges([16, 16, 240], [256, 32, 480], [512, 64, 1984], [2048, 128, 3968], [4096, 256, 7936], [8192, 512, LIMITS.n_embd]),
  vocab_size: [...octaves(16, LIMITS.vocab_size), 65, PRESETS.gpt2.vocab_size].sort((a, b) => a - b),
  context_length: octaves(8, LIMITS.context_length),
};

const MARKS = Object.entries(PRESETS).filter(([name]) => name.startsWith("gpt2"));

let instances = 0;

// Three digits and a unit of powers of 1000: 124 M, 1.56 GB.
export function short(n, prefixes = "kMBT", unit = "") {
  let power = 0;
  let x = n;
  while (x >= 999.5 && power < prefixes.length) {
    x /= 1000;
    power += 1;
  }
  const text = power ? x.toPrecision(3) : String(n);
  const suffix = (power ? prefixes[power - 1] : "") + unit;
  return suffix ? `${text}\u00a0${suffix}` : text;
}

function percent(share) {
  if (share === 0) return "0\u00a0%";
  return share < 0.0005 ? "<\u00a00.1\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`;
}

const place = (parameters) => {
  const share = (Math.log10(parameters) - SCALE[0]) / (SCALE[1] - SCALE[0]);
  return `${(100 * Math.max(0, Math.min(share, 1))).toFixed(2)}%`;
};

const same = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);
const presetOf = (config) => Object.keys(PRESETS).find((name) => same(PRESETS[name], config));

// Where a size stands among GPT-2's, in words.
function among(parameters) {
  const sizes = MARKS.map(([name, config]) => [name, parameterCount(config)]);
  const equal = sizes.find(([, n]) => n === parameters);
  if (equal) return `as many as ${equal[0]}`;
  const above = sizes.findIndex(([, n]) => n > parameters);
  if (above === 0) return `fewer than ${sizes[0][0]}`;
  if (above < 0) return `more than ${sizes.at(-1)[0]}`;
  return `between ${sizes[above - 1][0]} and ${sizes[above][0]}`;
}

class ModelCalculator extends HTMLElement {
  #config;
  #wanted;  // the heads that were asked for; the width may not allow them

  connectedCallback() {
    if (this.rows || this.dataset.state) return;
    if (!this.#config) {
      const name = this.getAttribute("preset") ?? "gpt2";
      if (!Object.hasOwn(PRESETS, name)) {
        this.dataset.state = "failed";
        this.prepend(make("p", { role: "alert", text: `The calculator cannot be shown: there is no preset “${name}”; choose one of ${Object.keys(PRESETS).join(", ")}.` }));
        return;
      }
      this.#take(PRESETS[name]);
    }
    this.build();
    this.render();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  get config() {
    return { ...this.#config };
  }

  set config(config) {
    this.#take(config);
    if (this.rows) this.update();
  }

  get ledger() {
    return modelLedger(this.#config);
  }

  #take(config) {
    checkConfig(config);
    this.#config = Object.fromEntries(Object.keys(PRESETS.gpt2).map((name) => [name, config[name]]));
    this.#wanted = config.n_head;
  }

  build() {
    const id = `model-calculator-${++instances}`;
    this.presets = Object.entries(PRESETS).map(([name, config]) => make("button", {
      type: "button", class: "mg-button", text: name, click: () => { this.config = config; },
    }));
    this.total = make("strong");
    this.brief = make("span", { class: "mg-brief" });
    this.segments = PARTS.map((_, i) => make("span", { class: `mg-part mg-part-${i + 1}` }));
    this.rows = new Map(SIZES.map((size) => [size.name, this.buildSize(size, `${id}-${size.name}`)]));
    this.note = make("p", { class: "mg-note mg-heads-note", id: `${id}-note` });
    this.rows.get("n_head").slider.setAttribute("aria-describedby", this.note.id);
    this.rows.get("n_head").box.append(this.note);
    const option = (name, text) => {
      const input = make("input", { type: "checkbox", change: () => this.choose({ [name]: input.checked }) });
      this[name] = input;
      return make("label", { class: "mg-option" }, input, text);
    };
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    const [weights, ...costs] = this.buildCosts();
    this.replaceChildren(
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Sizes to start from" }, ...this.presets),
      make("div", { class: "mg-desk" },
        make("div", { class: "mg-headline" },
          make("p", { class: "mg-total" }, this.total, " parameters ", this.brief),
          make("div", { class: "mg-bar-of-parts", "aria-hidden": "true" }, ...this.segments)),
        make("div", { class: "mg-controls" },
          ...[...this.rows.values()].map(({ box }) => box),
          make("div", { class: "mg-options" },
            option("tied", "Tied head"), option("bias", "Biases")),
          make("p", { class: "mg-note", text: "The sliders’ ticks are the sizes of GPT-2." })),
        make("div", {}, this.buildParts(), weights)),
      this.buildScale(),
      make("div", { class: "mg-pair" }, ...costs), this.live);
  }

  buildSize({ name, label }, id) {
    const row = { stops: [] };
    const move = (by) => {
      const value = row.stops[Number(row.slider.value) + by];
      if (value !== undefined) this.choose({ [name]: value });
    };
    // The slider's arrow keys do the same, so the tab key need not stop here.
    const step = (by, text, title) => make("button", {
      type: "button", class: "mg-button", tabindex: -1, text, "aria-label": `${label}: ${title}`, click: () => move(by),
    });
    row.value = make("span", { class: "mg-value", "aria-hidden": "true" });
    row.ticks = make("datalist", { id: `${id}-ticks` });
    row.slider = make("input", {
      type: "range", id, class: "mg-slider", min: 0, list: row.ticks.id, input: () => move(0),
    });
    row.fewer = step(-1, "−", "one step down");
    row.more = step(1, "+", "one step up");
    row.box = make("div", { class: "mg-size" },
      make("div", { class: "mg-size-name" },
        make("label", { for: id, text: label }), make("code", { text: name }), row.value),
      make("div", { class: "mg-size-slider" }, row.fewer, row.slider, row.more), row.ticks);
    return row;
  }

  buildParts() {
    this.shares = PARTS.map(() => [make("td"), make("td")]);
    return make("table", { class: "mg-parts" },
      make("caption", { text: "Where the parameters are" }),
      make("thead", {}, make("tr", {}, ...["part", "parameters", "share"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...PARTS.map(({ label }, i) => make("tr", {},
        make("th", { scope: "row" },
          make("span", { class: `mg-part mg-part-${i + 1}`, "aria-hidden": "true", text: i + 1 }), label),
        ...this.shares[i]))));
  }

  buildScale() {
    this.here = make("span", { class: "mg-here" });
    this.standing = make("p", { class: "mg-standing" });
    this.picture = make("div", { class: "mg-scale", role: "img" },
      ...MARKS.map(([name, config], i) => {
        const mark = make("span", { class: "mg-mark-line" }, make("span", { text: `${name} ${short(parameterCount(config))}` }));
        mark.style.setProperty("--mg-at", place(parameterCount(config)));
        mark.style.setProperty("--mg-step", i);
        return mark;
      }),
      make("span", { class: "mg-axis" }),
      ...Object.entries(DECADES).map(([power, text]) => {
        const decade = make("span", { class: "mg-decade", text: text.replace(" ", "\u00a0") });
        decade.style.setProperty("--mg-at", place(10 ** power));
        return decade;
      }),
      this.here);
    return make("section", { class: "mg-among", "aria-label": "Beside GPT-2’s sizes" }, this.picture, this.standing);
  }

  buildCosts() {
    this.costs = COSTS.map(({ title, rows }) => ({
      title, caption: make("caption"),
      rows: rows.map(([key, label, text]) => ({ key, label, text, cell: make("td") })),
    }));
    return this.costs.map(({ caption, rows }) => make("table", { class: "mg-costs" }, caption,
      make("tbody", {}, ...rows.map(({ label, cell }) => make("tr", {}, make("th", { scope: "row", text: label }), cell)))));
  }

  // One of the controls. Heads must divide the width: a new width takes the nearest number of
  // heads to those that were asked for, so that they come back with the old width.
  choose(change) {
    if (change.n_head) this.#wanted = change.n_head;
    Object.assign(this.#config, change);
    this.#config.n_head = nearestDivisor(this.#config.n_embd, this.#wanted);
    this.update();
  }

  update() {
    this.render();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.live.textContent = this.summary(); }, ANNOUNCE);
  }

  render() {
    const config = this.#config;
    const { ledger } = this;
    for (const [i, name] of Object.keys(PRESETS).entries()) {
      this.presets[i].setAttribute("aria-pressed", String(name === presetOf(config)));
    }
    for (const name of this.rows.keys()) this.renderSize(name);
    this.tied.checked = config.tied;
    this.bias.checked = config.bias;
    this.note.textContent = this.heads();
    this.total.textContent = number(ledger.parameters);
    this.brief.textContent = `${bytes(ledger.float32_bytes)} in float32 · ${flop(ledger.flops_per_token)} a token`;
    for (const [i, { name }] of PARTS.entries()) {
      const share = ledger.counts[name] / ledger.parameters;
      const [numbers, shares] = this.shares[i];
      numbers.textContent = number(ledger.counts[name]);
      shares.textContent = percent(share);
      this.segments[i].style.flexGrow = share;
      this.segments[i].hidden = share === 0;
      this.segments[i].textContent = share < LABELLED ? "" : i + 1;
    }
    const standing = `${short(ledger.parameters)} parameters, ${among(ledger.parameters)}`;
    this.here.style.setProperty("--mg-at", place(ledger.parameters));
    this.standing.textContent = `This model: ${standing}.`;
    this.picture.setAttribute("aria-label", `Parameters on a logarithmic scale from ${DECADES[SCALE[0]]} to ${DECADES[SCALE[1]]}: `
      + `${MARKS.map(([name, preset]) => `${name} ${short(parameterCount(preset))}`).join(", ")}; this model has ${standing}.`);
    for (const { title, caption, rows } of this.costs) {
      caption.textContent = title(config);
      for (const { key, text, cell } of rows) cell.textContent = text(ledger[key]);
    }
  }

  // The stops, and the value itself where it is none of them.
  stops(name) {
    const stops = name === "n_head" ? divisors(this.#config.n_embd) : STOPS[name];
    const value = this.#config[name];
    return stops.includes(value) ? stops : [...stops, value].sort((a, b) => a - b);
  }

  renderSize(name) {
    const row = this.rows.get(name);
    const { slider, value, ticks, fewer, more } = row;
    const size = this.#config[name];
    const like = MARKS.filter(([, preset]) => preset[name] === size).map(([preset]) => preset);
    row.stops = this.stops(name);
    slider.max = row.stops.length - 1;
    slider.value = row.stops.indexOf(size);
    value.textContent = number(size);
    slider.setAttribute("aria-valuetext", number(size) + (like.length ? `, as in ${like.length === MARKS.length ? "GPT-2" : like.join(", ")}` : ""));
    fewer.setAttribute("aria-disabled", String(size === row.stops[0]));
    more.setAttribute("aria-disabled", String(size === row.stops.at(-1)));
    const marked = [...new Set(MARKS.map(([, preset]) => row.stops.indexOf(preset[name])))].filter((i) => i >= 0);
    if (marked.join() === row.marked) return;
    row.marked = marked.join();
    ticks.replaceChildren(...marked.map((i) => make("option", { value: i, label: number(row.stops[i]) })));
  }

  heads() {
    const { n_embd: width, n_head: heads } = this.#config;
    const each = `${count(heads, "head")} of ${count(width / heads, "number")}`;
    return heads === this.#wanted ? `${each}.` : `${each}, as ${number(this.#wanted)} would not divide ${number(width)}.`;
  }

  summary() {
    const { ledger } = this;
    const name = presetOf(this.#config);
    const changed = this.#config.n_head !== this.#wanted ? ` ${this.heads()}` : "";
    return `${name ? `${name}: ` : ""}${short(ledger.parameters)} parameters, ${bytes(ledger.float32_bytes)} in float32, `
      + `${flop(ledger.flops_per_token)} a token.${changed}`;
  }
}

if (!customElements.get("model-calculator")) customElements.define("model-calculator", ModelCalculator);
