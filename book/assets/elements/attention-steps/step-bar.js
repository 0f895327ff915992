// Where the reader is among the steps: back, on, or anywhere with the slider.

import { make } from "../../parts/token-chips.js";
import { COUNT } from "./steps.js";

export class StepBar {
  at = 0;  // the step, from 0

  // changed: told that another step is chosen.
  constructor(changed) {
    this.changed = changed;
    const button = (text, by) => make("button", { type: "button", class: "mg-button", text, click: () => this.go(this.at + by) });
    this.back = button("Back", -1);
    this.step = button("Step", 1);
    this.slider = make("input", {
      type: "range", min: 1, max: COUNT, class: "mg-slider", "aria-label": "Step",
      input: () => this.go(Number(this.slider.value) - 1),
    });
    this.place = make("span", { class: "mg-place", "aria-hidden": "true" });
    this.node = make("div", { class: "mg-step-bar" },
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Steps" }, this.back, this.step),
      make("div", { class: "mg-progress" }, this.slider, this.place));
  }

  go(target) {
    this.at = Math.max(0, Math.min(target, COUNT - 1));
    this.changed();
  }

  // title: of the step.
  draw(title) {
    this.slider.value = this.at + 1;
    this.place.textContent = `step ${this.at + 1} of ${COUNT}`;
    this.slider.setAttribute("aria-valuetext", `${this.place.textContent}: ${title}`);
    // aria-disabled, not disabled: a button that has the focus keeps it.
    this.back.setAttribute("aria-disabled", String(this.at === 0));
    this.step.setAttribute("aria-disabled", String(this.at === COUNT - 1));
  }
}
