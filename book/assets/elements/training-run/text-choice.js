// What it learns from: a text that comes with the page, or the reader's own, pasted or from a file.

import { fetchedBytes } from "../../engine/fetched.js";
import { inBytes } from "../../engine/own-model.js";
import { make, number } from "../../parts/token-chips.js";

const OWN = "own";
const MOST = 2_000_000;  // characters that are read

export class TextChoice {
  // texts: [{name, file, title, characters}], files in _static/training. changed: called when another is
  // chosen or its words change. say: told what the reader should hear.
  constructor({ id, texts, chosen, changed, say }) {
    Object.assign(this, { texts, changed, say });
    this.fetched = new Map();
    this.select = make("select", { id: `${id}-text`, class: "mg-input", change: () => this.show() },
      ...texts.map(({ name, title, characters }) => make("option", { value: name, text: `${title} (${inBytes(characters)})` })),
      make("option", { value: OWN, text: "Your own text" }));
    this.select.value = texts.some(({ name }) => name === chosen) ? chosen : texts[0].name;
    this.box = make("textarea", {
      id: `${id}-own`, class: "mg-input", dir: "auto", spellcheck: "false", autocomplete: "off", input: () => this.changed(),
    });
    this.file = make("input", { type: "file", accept: "text/*,.txt,.md,.csv,.py,.js", hidden: true, change: () => this.read() });
    this.own = make("div", { class: "mg-own-text" },
      make("label", { class: "mg-label", for: this.box.id, text: "Paste it here" }), this.box,
      make("div", { class: "mg-buttons" }, make("button", { type: "button", class: "mg-button", text: "Choose a file", click: () => this.file.click() }), this.file),
      make("p", { class: "mg-note", text: "A few thousand characters at least; twenty thousand are better. It stays in this browser." }));
    this.nodes = [
      make("div", {}, make("label", { class: "mg-label", for: this.select.id, text: "Text" }), this.select),
      this.own,
    ];
    this.own.hidden = this.select.value !== OWN;
  }

  show() {
    this.own.hidden = this.select.value !== OWN;
    this.changed();
  }

  // A text by its title; any other is the reader's own.
  restore(text, title) {
    const ours = this.texts.find((one) => one.title === title);
    this.select.value = ours?.name ?? OWN;
    if (!ours) this.box.value = text;
    this.own.hidden = Boolean(ours);
  }

  async read() {
    const [file] = this.file.files;
    this.file.value = "";  // so that the same can be chosen again
    if (!file) return;
    try {
      this.give((await file.text()), file.name);
    } catch (error) {
      this.say(`${file.name} could not be read from the disk: choose it again. (${error.message})`);
    }
  }

  give(text, name) {
    this.box.value = text.slice(0, MOST);
    this.say(text.length > MOST ? `${name} has ${number(text.length)} characters; the first ${number(MOST)} are taken.` : `${name}: ${number(text.length)} characters.`);
    this.changed();
  }

  // {text, title}.
  async chosen() {
    const name = this.select.value;
    if (name === OWN) return { text: this.box.value, title: "your own text" };
    const { title, file } = this.texts.find((text) => text.name === name);
    if (!this.fetched.has(name)) this.fetched.set(name, new TextDecoder().decode(await fetchedBytes(new URL(`../../training/${file}`, import.meta.url))));
    return { text: this.fetched.get(name), title };
  }
}
