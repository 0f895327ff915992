// "Show the steps": the computation of the shown head's row, number by number, for the chosen token.

import { make } from "../../parts/token-chips.js";

export class OwnStepsFold {
  // explorer: the element, whose newest choice is computed.
  constructor(explorer, id) {
    this.explorer = explorer;
    this.button = make("button", { type: "button", class: "mg-button mg-show-steps", "aria-controls": id, click: () => this.toggle() });
    this.node = make("section", { id, class: "mg-explorer-steps", "aria-label": "The steps", hidden: true });
    this.name();
  }

  get open() { return !this.node.hidden; }

  name() { this.button.textContent = this.open ? "Hide the steps" : "Show the steps"; }

  toggle() {
    this.node.hidden = this.open;
    this.name();
    if (!this.steps) this.node.append(this.steps = make("attention-steps", { source: "given" }));
    this.draw();
  }

  // Without the queries, keys and values there is nothing to step through.
  draw() {
    const { qkv, layer, head, pinned, bytes, maps } = this.explorer;
    this.button.hidden = !qkv;
    if (!qkv || !this.open || !bytes.length) return;
    const numbers = qkv[layer];
    const C = numbers.length / bytes.length / 3;
    const D = C / maps[layer].length;
    const part = (place) => bytes.map((_, t) => {
      const start = (3 * t + place) * C + head * D;
      return Array.from(numbers.subarray(start, start + D));
    });
    const names = bytes.map((_, t) => this.explorer.named(t));
    this.steps.show({
      title: `Layer ${layer + 1}, head ${head + 1}, step by step for “${names[pinned]}” (token ${pinned + 1})`,
      names, q: part(0), k: part(1), v: part(2), asking: pinned,
    });
  }
}
