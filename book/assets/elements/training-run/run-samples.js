// What the model wrote at each look, to go back and forth through; and after a beginning of the reader's.

import { count, make, number } from "../../parts/token-chips.js";
import { nats } from "./run-words.js";

export class RunSamples {
  // shown: told the look that is shown. write: told a beginning, and the step on the slider unless
  // that is the latest; resolves to {prompt, wanted, step, text}.
  constructor({ id, compact, shown, write }) {
    Object.assign(this, { shown, compact });
    this.looks = [];
    this.title = make("p", { class: "mg-title" });
    this.text = make("p", { class: "mg-written", role: "region", tabindex: 0, "aria-label": "What it writes" });
    this.slider = make("input", {
      type: "range", id: `${id}-look`, class: "mg-slider", min: 0, max: 0, value: 0, "aria-label": "The look that is shown",
      input: () => this.show(Number(this.slider.value)),
    });
    this.prompt = make("input", { type: "text", id: `${id}-prompt`, class: "mg-input", dir: "auto", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.write = make("button", { type: "submit", class: "mg-button", text: "Let it write" });
    this.form = make("form", {
      class: "mg-prompt-row",
      submit: async (event) => {
        event.preventDefault();
        const written = await write(this.prompt.value, this.at < this.looks.length - 1 ? this.look.step : undefined);
        if (written) this.showWritten(written);
      },
    }, make("div", {}, make("label", { class: "mg-label", for: this.prompt.id, text: "Begin with" }), this.prompt), this.write);
    this.node = make("section", { class: "mg-samples", "aria-label": "Samples" }, this.title, ...(compact ? [this.text] : [this.slider, this.text, this.form]));
    this.clear();
  }

  clear() {
    this.looks = [];
    this.at = -1;
    this.slider.max = 0;
    this.slider.disabled = true;
    this.title.textContent = "What it writes";
    this.text.textContent = "";
  }

  // One more, which is shown if the latest was.
  add(look) {
    const follows = this.at === this.looks.length - 1 || this.at < 0;
    this.looks.push(look);
    this.slider.max = this.looks.length - 1;
    this.slider.disabled = this.looks.length < 2;
    if (follows) this.show(this.looks.length - 1);
  }

  get look() { return this.looks[this.at]; }

  show(at) {
    this.at = at;
    this.slider.value = at;
    const { step, loss, text } = this.look;
    this.title.textContent = `After ${count(step, "step")}, loss on the text kept apart ${nats(loss)}, it writes:`;
    this.slider.setAttribute("aria-valuetext", `step ${number(step)}, loss on the text kept apart ${nats(loss)}`);
    this.text.textContent = text.trimStart();
    this.shown(this.look);
  }

  showWritten({ prompt, wanted = -1, step, text }) {
    const other = wanted < 0 || wanted === step ? "" : ` (the weights of step ${number(wanted)} are not kept)`;
    this.title.textContent = `After ${count(step, "step")}${other}, it goes on from your beginning:`;
    this.text.replaceChildren(make("b", { text: prompt }), text);
  }
}
