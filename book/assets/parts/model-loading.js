// What an element shows while its model comes: a line, a progress bar, and a button that starts, or
// starts again. It is the book's, unless the reader has opened another or the element asks for
// one of its own.

import { ownModel, whenModelChanges } from "../engine/model-in-use.js";
import { loadShippedModel } from "../engine/shipped-model.js";
import { make } from "./token-chips.js";
import { whatFailed } from "./what-failed.js";

export const WEIGHT = "2.7\u00a0MB";
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)}\u00a0MB`;

async function modelInUse(report) {
  const shipped = ownModel() ? undefined : await loadShippedModel(report);
  return ownModel() ?? shipped;
}

export class ModelLoading {
  // ready: called with the model when it is there, and again when another takes its place.
  // fetchModel: where the element always uses the same, resolves to it.
  constructor(ready, fetchModel) {
    this.ready = ready;
    this.fetchModel = fetchModel ?? modelInUse;
    this.message = make("p", { class: "mg-message", role: "status" });
    this.bar = make("progress", { class: "mg-loading-bar", "aria-label": "Loading the model", hidden: true });
    this.button = make("button", {
      type: "button", class: "mg-button", text: `Load the model (${WEIGHT})`, click: () => this.load(),
    });
    this.node = make("div", { class: "mg-loading" }, this.message, this.bar, this.button);
    if (!fetchModel) whenModelChanges(() => {
      const had = this.model;
      this.model = undefined;
      if ((had || ownModel()) && this.node.isConnected) this.load();
    });
  }

  // Resolves to the model, or to undefined when the page says why there is none.
  load() {
    this.attempt ??= this.tryToLoad().finally(() => { this.attempt = undefined; });
    return this.attempt;
  }

  async tryToLoad() {
    if (this.model) return this.model;
    this.node.hidden = false;
    const focused = document.activeElement === this.button;
    this.button.hidden = true;
    this.bar.hidden = false;
    this.bar.removeAttribute("value");
    this.message.textContent = "Loading the model …";
    try {
      this.model = await this.fetchModel((progress) => this.show(progress));
    } catch (error) {
      this.bar.hidden = true;
      this.button.hidden = false;
      this.button.textContent = "Try again";
      if (focused) this.button.focus();
      this.message.textContent = whatFailed("the model", error);
      return undefined;
    }
    this.node.hidden = true;
    this.ready(this.model);
    return this.model;
  }

  show({ loaded, total }) {
    if (total) Object.assign(this.bar, { max: total, value: loaded });
    // The line is not a screen reader's at each of many steps: the bar has the numbers.
    this.bar.setAttribute("aria-valuetext", `${megabytes(loaded)} of ${total ? megabytes(total) : WEIGHT}`);
  }
}
