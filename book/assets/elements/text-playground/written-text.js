// A text as its tokens, in one flowing paragraph: the prompt, and what was written, each token of
// which can be chosen. A character whose bytes are spread over tokens stands in the last of them.

import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { make, spelled } from "../../parts/token-chips.js";

const WHITE = { "\n": "line break", " ": "space", "\t": "tab", "\r": "carriage return" };

export class WrittenText {
  // choose: told the place of a token, counted from 0 where the prompt ends.
  constructor(choose) {
    this.choose = choose;
    this.prompt = make("span", { class: "mg-prompt" });
    this.tokens = make("span", { role: "group", "aria-label": "What the model wrote, token by token" });
    this.text = make("p", { class: "mg-flow" }, this.prompt, this.tokens);
    this.node = make("div", { class: "mg-written" }, this.text);
    this.buttons = [];
    this.tokens.addEventListener("click", (event) => this.chooseThat(event));
    this.tokens.addEventListener("keydown", (event) => {
      if (["Enter", " "].includes(event.key) && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        this.chooseThat(event);
      } else if (["ArrowUp", "ArrowDown"].includes(event.key)) {
        event.preventDefault();
        this.lineAway(event.target, event.key === "ArrowUp" ? -1 : 1)?.focus();
      } else {
        moveFocus(event, this.buttons);
      }
    });
    this.tokens.addEventListener("focusin", (event) => keepOneTabStop(event.target, this.buttons));
  }

  // Show a prompt's tokens, and nothing written yet.
  begin(tokenizer, ids) {
    this.tokenizer = tokenizer;
    this.decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    this.buttons = [];
    this.tokens.replaceChildren();
    this.prompt.replaceChildren(...ids.map((id) => make("span", {}, ...this.inside(id).nodes)));
    this.reachable();
  }

  // Add tokens {id, byHand}. Returns the text that they make whole.
  add(tokens) {
    const atEnd = this.node.scrollTop + this.node.clientHeight > this.node.scrollHeight - 24;
    const added = tokens.map(({ id, byHand }, i) => {
      const { text, nodes, label } = this.inside(id);
      const button = make("span", {
        role: "button", tabindex: this.buttons.length + i ? -1 : 0, "aria-pressed": "false", "aria-label": label,
        class: byHand ? "mg-token mg-by-hand" : "mg-token",
      }, ...nodes);
      return { text, button };
    });
    this.buttons.push(...added.map(({ button }) => button));
    this.tokens.append(...added.map(({ button }) => button));
    if (atEnd) this.node.scrollTop = this.node.scrollHeight;
    this.reachable();
    return added.map(({ text }) => text).join("");
  }

  // Mark the chosen token, or none.
  mark(at) {
    this.marked?.setAttribute("aria-pressed", "false");
    this.marked = this.buttons[at];
    this.marked?.setAttribute("aria-pressed", "true");
    if (this.marked) keepOneTabStop(this.marked, this.buttons);
  }

  chooseThat({ target }) {
    const at = this.buttons.indexOf(target.closest("[role=button]"));
    if (at >= 0) this.choose(at);
  }

  // What a token adds: its text, that text's nodes, and a name where the text does not say it.
  inside(id) {
    const bytes = this.tokenizer.tokenBytes(id);
    const text = this.decoder.decode(bytes, { stream: true });
    const nodes = text.split(/(\n)/).filter(Boolean)
      .map((piece) => (piece === "\n" ? make("span", { class: "mg-break", text: piece }) : piece));
    if (!text) nodes.push(make("span", { class: "mg-part" }));
    const label = !text ? `part of a character, ${spelled(bytes)}`
      : /^\s+$/.test(text) ? Array.from(text, (character) => WHITE[character] ?? "space").join(", ") : undefined;
    return { text, nodes, label };
  }

  // The nearest token in the line above or below.
  lineAway(button, direction) {
    const here = button.getClientRects()[0];
    const middle = (here.left + here.right) / 2;
    let nearest;
    for (let at = this.buttons.indexOf(button) + direction; this.buttons[at]; at += direction) {
      const { left, right, top } = this.buttons[at].getClientRects()[0];
      const lines = Math.abs(top - here.top) > 4;
      if (!lines) continue;
      if (nearest && Math.abs(top - nearest.top) > 4) break;
      const distance = Math.abs((left + right) / 2 - middle);
      if (!nearest || distance < nearest.distance) nearest = { top, distance, button: this.buttons[at] };
    }
    return nearest?.button;
  }

  // A box that scrolls must take the keyboard's focus where nothing inside does.
  reachable() {
    this.node.tabIndex = this.buttons.length ? -1 : 0;  // without one, Firefox would stop at it too
  }
}
