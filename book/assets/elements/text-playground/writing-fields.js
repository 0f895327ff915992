// What the reader sets before writing: the prompt, the settings, the seed and how many tokens.

import { CAREFUL, settingControls, settingsInWords, showSettings } from "../../parts/sampling-settings.js";
import { count, make, number } from "../../parts/token-chips.js";
import { LARGEST_SEED } from "./playground-link.js";

const EXAMPLES = ["HAMLET:\n", "First Citizen:\nWe are", "My love is like", "What is 2 + 2?"];
const VOCABULARY = 4096;    // for the stops of top-k before the tokenizer is there

export class WritingFields {
  settings = { ...CAREFUL };

  // prompt: at the beginning, an example where there is none; most: tokens that a press may write;
  // open: whether the settings stand open; write: called by the keyboard; say: told what the
  // reader should hear.
  constructor({ id, prompt, most, open, write, say }) {
    this.say = say;
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.box = make("textarea", {
      id: `${id}-prompt`, class: "mg-input", spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-hint`,
      keydown: (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        write();
      },
    });
    this.box.value = (prompt ?? EXAMPLES[0]).replaceAll("\\n", "\n");
    Object.assign(this, settingControls({ id, size: VOCABULARY, change: (settings) => this.change(settings) }));
    const field = (name, least, greatest, value) => {
      const input = make("input", {
        id: `${id}-${name}`, class: "mg-input", type: "number", inputmode: "numeric", min: least, max: greatest, step: 1, value,
        change: () => this.whole(input),
      });
      return input;
    };
    this.seed = field("seed", 0, LARGEST_SEED, 1);
    this.tokens = field("tokens", 1, most, 120);
    this.brief = make("span", { class: "mg-note" });
    const fold = make("details", { class: "mg-fold", open },
      make("summary", {}, make("span", { class: "mg-title", text: "Settings" }), " ", this.brief),
      make("div", { class: "mg-presets", role: "group", "aria-label": "Settings to start from" }, ...this.presets),
      make("div", { class: "mg-sliders" }, ...this.sliders.map(({ box }) => box)),
      make("div", { class: "mg-sliders" },
        make("div", {}, make("label", { class: "mg-label", for: this.seed.id, text: "Seed of chance" }),
          make("div", { class: "mg-field" }, this.seed, button("Another", () => this.anotherSeed(), { "aria-label": "Another seed" }))),
        make("div", {}, make("label", { class: "mg-label", for: this.tokens.id, text: "Tokens to write" }),
          make("div", { class: "mg-field" }, this.tokens))));
    fold.addEventListener("input", () => this.show());
    this.nodes = [
      make("label", { class: "mg-label", for: this.box.id, text: "Prompt: how the text begins" }), this.box,
      make("p", { class: "mg-note mg-keys", id: `${id}-hint`, text: "Ctrl or ⌘ with Enter writes, Escape stops." }),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Prompts to start from" }, ...EXAMPLES.map((example) =>
        button(example.trimEnd().replaceAll("\n", " ↵ "), () => { this.box.value = example; this.box.focus(); }))),
      fold,
    ];
    this.show();
  }

  change(settings) {
    this.settings = { ...this.settings, ...settings };
    this.show();
  }

  anotherSeed() {
    const old = this.seed.value;
    while (this.seed.value === old) this.seed.value = Math.floor(1e6 * Math.random());
    this.say(`Seed ${this.seed.value}.`);
    this.show();
  }

  // A number field's value, brought to the nearest that it allows.
  whole(input) {
    const [least, greatest] = [Number(input.min), Number(input.max)];
    const given = input.valueAsNumber;
    const value = Math.min(greatest, Math.max(least, Math.round(Number.isFinite(given) ? given : Number(input.defaultValue))));
    if (given !== value) {
      input.value = value;
      this.say(`${input.labels[0].textContent}: a whole number from ${number(least)} to ${number(greatest)}, so ${number(value)} is taken.`);
      this.show();
    }
    return value;
  }

  get values() {
    return { prompt: this.box.value, settings: this.settings, seed: this.whole(this.seed), tokens: this.whole(this.tokens) };
  }

  // The values that each setting can have.
  get stops() { return Object.fromEntries(this.sliders.map((row) => [row.name, row.stops])); }

  // From a link, which may leave out any of them.
  fill({ prompt, settings, seed, tokens }) {
    this.box.value = prompt ?? this.box.value;
    this.settings = { ...CAREFUL, ...settings };
    this.seed.value = seed ?? this.seed.defaultValue;
    this.tokens.value = tokens ?? this.tokens.defaultValue;
    this.show();
  }

  show() {
    showSettings(this, this.settings);
    this.brief.textContent = `${settingsInWords(this.settings)}, seed ${this.seed.value}, ${count(this.tokens.valueAsNumber || 0, "token")}`;
  }
}
