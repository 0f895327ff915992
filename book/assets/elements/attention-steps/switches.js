// The two parts of attention that a reader can take away.

import { make } from "../../parts/token-chips.js";

export class Switches {
  // width: D. changed: told that one was switched.
  constructor(width, changed) {
    const box = () => make("input", { type: "checkbox", checked: true, change: changed });
    [this.mask, this.scale] = [box(), box()];
    this.labels = [[this.mask, "Causal mask"], [this.scale, `Divide by √D = √${width}`]]
      .map(([input, text]) => make("label", { class: "mg-option" }, input, text));
  }

  get on() { return { mask: this.mask.checked, scale: this.scale.checked }; }
  reset() { this.mask.checked = this.scale.checked = true; }
}
