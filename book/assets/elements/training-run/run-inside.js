// Inside the model, at the step that is shown: how large its gradients are, and what its heads look at
// in a sentence.

import { count, make, number } from "../../parts/token-chips.js";
import { drawGradients, gradientsInWords } from "./gradient-chart.js";
import { SentenceAttention } from "./sentence-attention.js";

export class RunInside {
  // attend: told {step, text}, resolves to what training-job.js tells, or to nothing when there is
  // no model; throws what is wrong with the text. announce: told what a screen reader should say.
  constructor({ id, attend, announce }) {
    this.gradientTitle = make("p", { class: "mg-title" });
    this.picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.picture.classList.add("mg-chart", "mg-gradient-chart");
    this.picture.setAttribute("role", "img");
    this.sizes = make("p", { class: "mg-sizes" });
    this.attention = new SentenceAttention({ id, attend, announce });
    this.node = make("section", { class: "mg-inside", "aria-label": "Inside" },
      make("div", {}, this.gradientTitle, this.picture, this.sizes,
        make("p", { class: "mg-note", text: "The root mean square of the gradient of one batch, before the clip; a line up is ten times. Lines that run side by side and level off are well, however far apart. One that sinks from line to line vanishes, and what belongs to it learns no more; one that leaps up explodes." })),
      this.attention.node);
    this.clear();
  }

  clear() {
    this.look = undefined;
    this.attention.clear();
    this.tell();
  }

  // A look of a run, of which the worker may not be there.
  show(look, { facts }) {
    this.look = look;
    this.tell();
    this.attention.show(look.step, facts.sentence);
  }

  tell() {
    const { look } = this;
    this.gradientTitle.textContent = look ? `Gradient sizes after ${count(look.step, "step")}` : "Gradient sizes";
    this.sizes.textContent = gradientsInWords(look);
  }

  draw(run) {
    if (!this.picture.clientWidth) return;
    drawGradients(this.picture, run?.looks ?? [], { at: this.look, steps: run?.order.recipe.steps ?? 1000 });
    const last = run?.looks.at(-1);
    this.picture.setAttribute("aria-label", last?.gradients ? `Gradient sizes by step; at step ${number(last.step)}: ${gradientsInWords(last)}.` : "Axes for the sizes of gradients by step.");
    this.attention.draw();
  }
}
