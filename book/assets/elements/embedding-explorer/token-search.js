// The box in which the reader looks for a token, and the list of those found (an ARIA combobox).

import { make } from "../../parts/token-chips.js";
import { unmarked } from "./map-data.js";

export class TokenSearch {
  map;  // there is nothing to find before it comes
  options = [];
  active = -1;

  // choose: told the id of the token that the reader takes.
  constructor(id, choose) {
    this.chosen = choose;
    this.input = make("input", {
      id: `${id}-search`, class: "mg-input", type: "text", role: "combobox", "aria-expanded": "false",
      "aria-controls": `${id}-list`, "aria-autocomplete": "list", spellcheck: "false", autocomplete: "off",
      autocapitalize: "off", placeholder: "queen, Rome, ing, #300",
      input: () => this.suggest(), keydown: (event) => this.key(event), blur: () => this.close(),
    });
    this.list = make("ul", { id: `${id}-list`, role: "listbox", tabindex: -1, "aria-label": "Tokens found", hidden: true });
    this.note = make("p", { class: "mg-note", role: "status" });
    this.node = make("div", { class: "mg-find" },
      make("label", { class: "mg-label", for: `${id}-search`, text: "Find a token" }),
      this.input, make("div", { class: "mg-found" }, this.list, this.note));
  }

  suggest() {
    if (!this.map) return;
    const query = unmarked(this.input.value);
    this.options = query ? this.map.search(query) : [];
    this.active = -1;
    this.list.replaceChildren(...this.options.map((id, i) => make("li", {
      id: `${this.list.id}-${i}`, role: "option", "aria-selected": "false",
      pointerdown: (event) => event.preventDefault(),  // the input keeps the focus
      click: () => this.choose(id),
    }, make("bdi", { text: this.map.tokens[id].shown }), make("span", { text: ` #${id}` }))));
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
    this.note.textContent = !query || this.options.length ? "" : this.map.explain(query);
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      if (this.list.hidden) return this.suggest();
      const length = this.options.length;
      this.active = this.active < 0 && step < 0 ? length - 1 : (this.active + step + length) % length;
      for (const [i, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(i === this.active));
      this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
      this.list.children[this.active].scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      this.choose(this.options[Math.max(0, this.active)]);
    } else if (event.key === "Escape" && (!this.list.hidden || this.note.textContent)) {
      event.preventDefault();
      this.close();
    }
  }

  choose(id) {
    this.input.value = this.map.tokens[id].shown;
    this.close();
    this.chosen(id);
  }

  close() {
    this.list.hidden = true;
    this.note.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
