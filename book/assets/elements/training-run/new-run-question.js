// Asked before a new run takes the place of one that is worth something.

import { make } from "../../parts/token-chips.js";

export class NewRunQuestion {
  // begin: called when the reader wants the new run. back: tells what then has the focus.
  constructor({ id, begin, back }) {
    Object.assign(this, { begin, back });
    const button = (text, yes) => make("button", { type: "button", class: "mg-button", "aria-describedby": `${id}-question`, text, click: () => this.answer(yes) });
    this.words = make("p", { id: `${id}-question` });
    this.no = button("Keep my run", false);
    this.node = make("div", {
      class: "mg-question", role: "group", "aria-label": "Begin a new run?", hidden: true,
      keydown: ({ key }) => { if (key === "Escape") this.answer(false); },
    }, this.words, make("div", { class: "mg-buttons" }, this.no, button("Begin the new one", true)));
  }

  ask(words) {
    this.words.textContent = words;
    this.node.hidden = false;
    this.no.focus();
  }

  answer(yes) {
    this.close();
    this.back().focus();
    if (yes) this.begin();
  }

  close() { this.node.hidden = true; }
}
