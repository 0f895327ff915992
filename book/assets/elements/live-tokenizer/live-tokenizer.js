// <live-tokenizer text="…">: type, and see the tokens of GPT-2 and of our own tokenizer.
//
// Both vocabularies, ours (14 kB) and GPT-2's (190 kB), are fetched when the element comes near
// the screen.
// For tests: `element.tokenizers` holds those loaded so far, `element.load(name)` loads one.

import { whenNear } from "../../parts/near.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { VOCABULARIES, count, fillChip, hex, loadVocabulary, make, number, spell, spelled } from "../../parts/token-chips.js";
import { whatFailed } from "../../parts/what-failed.js";

const FIRST_TEXT = "To be, or not to be: that is the question.";
const SHOWN = 400;       // chips on the page at most; the counts are always for the whole text
const ANNOUNCE = 1000;   // milliseconds without typing before a screen reader is told
const JOINER = "\u200d"; // between the parts of some emoji
const { Segmenter } = Intl;  // Firefox has it since 2024

const EXAMPLES = [
  { label: "Sentence", text: "My kingdom for a horse, and nobody's changing my mind." },
  { label: "Code", text: "def add(a, b):\n    return a + b" },
  { label: "Digits", text: "3.14159 + 1234567 = 1234570.14159" },
  { label: "안녕하세요", lang: "ko", text: "안녕하세요" },
  { label: "👩‍🚀", name: "Emoji: an astronaut", text: "👩‍🚀" },
  { label: "مرحبا بالعالم", lang: "ar", text: "مرحبا بالعالم" },
  { label: "strawberry", text: "strawberry" },
  { label: "·strawberry", name: "strawberry with a space before it", text: " strawberry" },
];

let instances = 0;

class LiveTokenizer extends HTMLElement {
  tokenizers = {};
  panels = {};
  touched = false;  // nothing is announced before the reader has done something

  connectedCallback() {
    if (this.input) return;
    this.build();
    whenNear(this, () => this.pose());
  }

  build() {
    const id = `live-tokenizer-${++instances}`;
    this.input = make("textarea", {
      id: `${id}-text`, class: "mg-input", rows: 3, dir: "auto", spellcheck: "false",
      autocomplete: "off", autocapitalize: "off",
      input: () => { this.touched = true; this.draw(); },
    });
    this.input.value = this.getAttribute("text") ?? FIRST_TEXT;
    const examples = EXAMPLES.map(({ label, name, lang, text }) => make("button", {
      type: "button", class: "mg-button", lang, "aria-label": name, "data-text": text,
      click: () => this.show(text),
    }, make("bdi", { text: label })));
    this.sizes = make("p", { class: "mg-sizes" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    const panels = Object.keys(VOCABULARIES).map((name) => this.buildPanel(name, `${id}-${name}`));
    this.replaceChildren(
      make("label", { class: "mg-label", for: `${id}-text`, text: "Type or paste any text" }),
      this.input,
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Examples" }, ...examples),
      this.sizes,
      make("div", { class: "mg-panels" }, ...panels),
      make("p", { class: "mg-legend" },
        make("span", { class: "mg-mark", text: "·" }), " is a space, ",
        make("span", { class: "mg-mark", text: "↵" }), " a new line, ",
        make("span", { class: "mg-mark", text: "→" }), " a tab, ",
        make("span", { class: "mg-byte", text: "\\xec" }),
        " a byte that is only a part of a character. The number under a token is its id."),
      this.live,
    );
    this.draw();
  }

  buildPanel(name, id) {
    const { title, weight, owner } = VOCABULARIES[name];
    const panel = { state: "waiting" };
    this.panels[name] = panel;
    panel.counts = make("p", { class: "mg-counts" });
    panel.message = make("p", { class: "mg-message" });
    panel.button = make("button", {
      type: "button", class: "mg-button", text: `Load ${owner} vocabulary (${weight})`,
      click: () => { this.touched = true; this.load(name); },
    });
    panel.chips = make("div", {
      class: "mg-chips", role: "toolbar", tabindex: -1, "aria-label": `Tokens: ${title}`,
      keydown: (event) => moveFocus(event, chipsOf(panel), { forward: panel.chips.dir === "rtl" ? -1 : 1 }),
      focusin: (event) => { keepOneTabStop(event.target, chipsOf(panel)); this.inspect(name, event.target); },
      click: (event) => this.inspect(name, event.target),
      pointerover: (event) => this.inspect(name, event.target),
    });
    panel.detail = make("p", { class: "mg-detail", id: `${id}-detail` });
    panel.root = make("section", { class: "mg-panel", "data-vocabulary": name, "aria-labelledby": `${id}-title` },
      make("p", { class: "mg-title", id: `${id}-title`, text: title }),
      panel.counts, panel.message, panel.button, panel.chips, panel.detail);
    return panel.root;
  }

  show(text) {
    this.touched = true;
    this.input.value = text;
    this.draw();
    this.pose();
  }

  // Resolves to the tokenizer, or to undefined after having said on the page that it failed.
  load(name = "shakespeare") {
    const panel = this.panels[name];
    panel.loading ??= this.attempt(name, panel);
    return panel.loading;
  }

  // Both vocabularies, for its picture too.
  pose() { return Promise.all(Object.keys(this.panels).map((name) => this.load(name))); }

  async attempt(name, panel) {
    panel.state = "loading";
    this.drawPanel(name);
    try {
      this.tokenizers[name] = await loadVocabulary(name);
      panel.state = "ready";
    } catch (error) {
      panel.state = "failed";
      panel.why = whatFailed(`${VOCABULARIES[name].owner} vocabulary`, error);
      panel.loading = undefined;  // the next load tries again
    }
    const buttonHadFocus = document.activeElement === panel.button;
    this.drawPanel(name);
    if (buttonHadFocus && panel.button.hidden) (panel.chips.querySelector(".mg-chip") ?? this.input).focus();
    this.announce(panel.state === "failed" ? panel.message.textContent : undefined);
    return this.tokenizers[name];
  }

  draw() {
    const text = this.input.value;
    this.bytes = new TextEncoder().encode(text);
    const points = [...text].length;  // as Python's len counts them
    const signs = Segmenter && [...new Segmenter().segment(text)].length;  // as a reader does
    const half = /\p{Surrogate}/u.test(text)
      ? " Half of a surrogate pair is no character: it is encoded as U+FFFD." : "";
    const seen = signs && signs !== points ? `${count(signs, "sign")} of ` : "";
    const joined = text.includes(JOINER) ? " U+200D, which cannot be seen, joins several to one sign." : "";
    this.sizes.textContent = `${seen}${count(points, "code point")}, `
      + `${count(this.bytes.length, "UTF-8 byte")}.${joined}${half}`;
    for (const name of Object.keys(VOCABULARIES)) this.drawPanel(name);
    this.announce();
  }

  drawPanel(name) {
    const panel = this.panels[name];
    const tokenizer = this.tokenizers[name];
    const { owner } = VOCABULARIES[name];
    panel.root.dataset.state = panel.state;
    panel.button.hidden = panel.state === "ready";
    panel.button.setAttribute("aria-disabled", String(panel.state === "loading"));
    panel.detail.textContent = tokenizer ? "Point at a token, or move to it with the arrow keys." : "";
    panel.message.textContent = {
      waiting: "The tokens appear here.",
      loading: `Loading ${owner} vocabulary …`,
      failed: panel.why,
    }[panel.state] ?? "";
    if (!tokenizer) return;
    const ids = tokenizer.encode(this.input.value);
    panel.total = ids.length;
    panel.message.textContent = ids.length > SHOWN
      ? `The first ${SHOWN} tokens are shown; the counts are for the whole text.` : "";
    const ratio = ids.length ? `, ${(this.bytes.length / ids.length).toFixed(2)} bytes per token` : "";
    panel.counts.replaceChildren(make("strong", { text: number(ids.length) }),
      ` ${ids.length === 1 ? "token" : "tokens"}${ratio}`);
    this.drawChips(panel, tokenizer, ids.slice(0, SHOWN));
  }

  drawChips(panel, tokenizer, ids) {
    const tokens = [];
    let start = 0;
    for (const id of ids) {
      const bytes = tokenizer.tokenBytes(id);
      const end = start + bytes.length;
      tokens.push({ id, bytes, around: charactersAt(this.bytes, start, end) });
      start = end;
    }
    const base = getComputedStyle(this.input).direction;  // what dir="auto" found
    panel.chips.dir = base;
    panel.chips.replaceChildren();
    let run = panel.chips;
    let runDirection = base;
    let digits;
    const directions = resolveDirections(tokens, base);
    tokens.forEach(({ id, bytes, around }, i) => {
      const digit = directions[i] === "number";
      const direction = digit ? "rtl" : directions[i];
      if (direction !== runDirection) {
        run = direction === base ? panel.chips : append(panel.chips, make("span", { dir: direction }));
        runDirection = direction;
        digits = undefined;
      }
      digits = digit ? digits ?? append(run, make("span", { dir: "ltr" })) : undefined;
      const chip = fillChip(make("button", { type: "button", tabindex: i === 0 ? 0 : -1 }), id, bytes);
      chip.around = around;
      append(digits ?? run, chip);
      if (bytes.at(-1) === 10) append(run, make("br"));
    });
  }

  // The chip under the pointer or the keyboard's focus, in words.
  inspect(name, target) {
    const chip = target.closest(".mg-chip");
    if (!chip) return;
    const { chips, detail } = this.panels[name];
    const tokenizer = this.tokenizers[name];
    const id = Number(chip.dataset.id);
    const bytes = tokenizer.tokenBytes(id);
    for (const other of chips.querySelectorAll("[data-current]")) delete other.dataset.current;
    chip.dataset.current = "";
    chip.setAttribute("aria-describedby", detail.id);
    const part = isPartial(bytes) ? ` It is a part of “${chip.around}”.` : "";
    let origin = "a single byte, so no merge made it.";
    if (id >= 256) {
      const k = id - 256;
      const halves = [tokenizer.merges[2 * k], tokenizer.merges[2 * k + 1]];
      origin = `merge rank ${number(k)}: “${halves.map((h) => spelled(tokenizer.tokenBytes(h))).join("” + “")}” `
        + `(ids ${halves.join(" and ")}).`;
    }
    detail.replaceChildren(make("strong", { text: `Token ${id} ` }), make("bdi", { text: `“${spelled(bytes)}”` }),
      `, ${count(bytes.length, "byte")}: `, make("code", { text: hex(bytes) }), `; ${origin}${part}`);
  }

  // Tell a screen reader, once the typing has stopped.
  announce(message) {
    if (!this.touched) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const counts = Object.keys(this.tokenizers).map((name) =>
        `${VOCABULARIES[name].short}: ${count(this.panels[name].total, "token")}.`);
      this.live.textContent = message ?? [this.sizes.textContent, ...counts].join(" ");
    }, ANNOUNCE);
  }
}

const isPartial = (bytes) => spell(bytes).some((part) => part.kind === "byte");

// The characters that bytes[start, end) belong to: bytes 10xxxxxx continue a character.
function charactersAt(bytes, start, end) {
  while ((bytes[start] & 0xc0) === 0x80) start--;
  while ((bytes[end] & 0xc0) === 0x80) end++;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
}

// Chips are boxes, and a browser puts boxes in the order of their paragraph: in an English
// sentence the tokens of an Arabic word would stand in the wrong order. So every token gets the
// direction of its letters; one without letters gets that of its neighbours when they agree.
// A number after right-to-left letters stands among them and still runs from left to right.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

function resolveDirections(tokens, base) {
  let before = base;
  const own = tokens.map(({ around }) => {
    if (RIGHT_TO_LEFT.test(around)) before = "rtl";
    else if (/\p{L}/u.test(around)) before = "ltr";
    else if (/\p{N}/u.test(around)) return before === "rtl" ? "number" : "ltr";
    else return undefined;
    return before;
  });
  const side = (direction) => (direction === "number" ? "rtl" : direction);
  const after = new Array(own.length);
  for (let i = own.length - 1, seen = base; i >= 0; i--) {
    after[i] = seen;
    seen = side(own[i]) ?? seen;
  }
  before = base;
  return own.map((direction, i) => {
    before = side(direction) ?? before;
    return direction ?? (before === after[i] ? before : base);
  });
}

function append(parent, child) {
  parent.append(child);
  return child;
}

const chipsOf = (panel) => [...panel.chips.querySelectorAll(".mg-chip")];

if (!customElements.get("live-tokenizer")) customElements.define("live-tokenizer", LiveTokenizer);
