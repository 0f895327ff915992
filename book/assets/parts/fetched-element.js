// An element whose data is fetched when it comes near the screen: a line says that it comes, or
// that it did not, and then a button tries again.

import { whenNear } from "./near.js";
import { make } from "./token-chips.js";
import { whatFailed } from "./what-failed.js";

// A subclass has `what`, the data in words; `fetchData()`, which throws where it does not come;
// `begin()`, which builds the element; and `first`, what has the focus after a second attempt.
export class FetchedElement extends HTMLElement {
  connectedCallback() {
    if (this.message) return;
    this.message = make("p", { class: "mg-message", role: "status" });
    this.retry = make("button", {
      type: "button", class: "mg-button", text: "Try again", hidden: true, click: () => this.load(),
    });
    this.replaceChildren(this.message, this.retry);
    whenNear(this, () => this.load());
  }

  // Resolves when the data is there, or when the page says that it is not.
  load() {
    this.attempt ??= this.tryToLoad().finally(() => { this.attempt = undefined; });
    return this.attempt;
  }

  async tryToLoad() {
    if (this.dataset.state === "ready") return;
    this.dataset.state = "loading";
    this.message.textContent = `Loading ${this.what} …`;
    try {
      await this.fetchData();
    } catch (error) {
      this.dataset.state = "failed";
      this.message.textContent = whatFailed(this.what, error);
      this.retry.hidden = false;
      return;
    }
    this.dataset.state = "ready";
    const retried = document.activeElement === this.retry;
    this.begin();
    if (retried) this.first.focus();
  }
}
