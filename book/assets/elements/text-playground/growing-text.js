// The text while it is written: drawn once a frame, and told to a screen reader now and then.

import { make } from "../../parts/token-chips.js";
import { WrittenText } from "./written-text.js";

const ANNOUNCE = 3000;      // milliseconds between two things that a screen reader is told

export class GrowingText extends WrittenText {
  unpainted = [];    // tokens written and not yet in the page

  // live: what a screen reader reads out.
  constructor(choose, live) {
    super(choose);
    this.live = live;
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "Text");
    this.empty = make("p", { class: "mg-note", text: "What the model writes appears here." });
    this.node.prepend(this.empty);
    this.reachable();
  }

  // Another text, as far as it is written.
  show(tokenizer, { prompt, tokens }, chosen) {
    this.unpainted = [];
    this.empty.hidden = true;
    this.begin(tokenizer, prompt.ids);
    this.add(tokens);
    this.mark(chosen);
  }

  // No text any more.
  clear() {
    this.unpainted = [];
    this.empty.hidden = false;
    this.begin(undefined, []);
  }

  startTelling() {
    this.unsaid = "";
    this.saidAt = performance.now();
    this.node.setAttribute("aria-busy", "true");
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
    if (this.unpainted.length) this.unsaid += this.add(this.unpainted);
    this.unpainted = [];
  }

  // Whole lines or sentences, and not at once.
  tell() {
    const whole = /^[^]*[\n.?!]/.exec(this.unsaid)?.[0];
    if (!whole?.trim() || performance.now() < this.saidAt + ANNOUNCE) return;
    this.live.textContent = whole;
    this.unsaid = this.unsaid.slice(whole.length);
    this.saidAt = performance.now();
  }

  // At the end, without waiting for a frame.
  paintRest() {
    this.node.removeAttribute("aria-busy");
    cancelAnimationFrame(this.frame);
    this.paint();
  }

  // What was not told yet, and `ended` after it.
  stopTelling(ended) {
    this.live.textContent = `${this.unsaid}\n${ended}`.trim();
  }
}
