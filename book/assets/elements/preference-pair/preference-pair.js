// <preference-pair chosen="-0.17" rejected="-0.57" beta="0.1">: DPO on one pair of answers. The
// reader moves how much more probable each became than by the reference, and sees the loss, and
// how it pushes. The attributes are what a run of training showed in the end; without them there is
// no button for it.
//
// For tests: `element.state` holds the three numbers, `element.result` what `dpo` made of them.

import { svg } from "../../parts/curves.js";
import { axisEnd, axisMarks } from "../../parts/probability-bars.js";
import { make } from "../../parts/token-chips.js";
import { dpo } from "./dpo.js";
import { drawLoss } from "./loss-picture.js";

const LIMIT = 3;
const BETAS = [0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1];
const START = { chosen: 0, rejected: 0, beta: 0.1 };
const RATE = 2;         // of "Take a step": so far along the gradient that it is seen
const ANNOUNCE = 700;   // milliseconds without a change before a screen reader is told
const ANSWERS = ["chosen", "rejected"];

let instances = 0;

const minus = (text) => text.replace("-", "−");
// As exact as it is: two digits of what a slider set, three of what a step left.
const plain = (x) => minus(String(Number(x.toFixed(3))));
const inBrackets = (x) => (x < 0 ? `(${plain(x)})` : plain(x));
const fixed = (x, digits) => minus((Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x).toFixed(digits));
const within = (x) => Math.min(Math.max(x, -LIMIT), LIMIT);

class PreferencePair extends HTMLElement {
  connectedCallback() {
    if (this.sliders) return;
    this.run = { ...START };
    for (const name of Object.keys(START)) {
      const given = Number(this.getAttribute(name) ?? NaN);
      if (Number.isFinite(given)) this.run[name] = given;
    }
    this.state = { ...START };
    this.build();
    this.render();
    let drawn = this.picture.clientWidth;
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (drawn !== this.picture.clientWidth) drawLoss(this.picture, this.result);
      drawn = this.picture.clientWidth;
    })).observe(this.picture);
  }

  disconnectedCallback() { clearTimeout(this.timer); }

  // For its picture: what a run showed.
  pose() { this.change(this.run); }

  build() {
    const id = `preference-pair-${++instances}`;
    this.sliders = {};
    this.values = {};
    this.notes = {};
    const slider = (name, title, attributes, read) => {
      this.sliders[name] = make("input", {
        type: "range", class: "mg-slider", id: `${id}-${name}`, ...attributes,
        input: () => this.change({ [name]: read(Number(this.sliders[name].value)) }),
      });
      this.values[name] = make("output", { class: "mg-value", for: `${id}-${name}`, "aria-live": "off" });
      this.notes[name] = make("p", { class: "mg-note" });
      return make("div", { class: "mg-setting", "data-name": name },
        make("div", { class: "mg-setting-name" }, make("label", { for: `${id}-${name}`, text: title }), this.values[name]),
        this.sliders[name], this.notes[name]);
    };
    const button = (text, click) => make("button", { type: "button", class: "mg-button", text, click });
    this.picture = svg("svg", { class: "mg-chart", role: "img" });
    this.numbers = ["margin", "agreement", "loss"].map((name) => make("dd", { "data-value": name }));
    this.pushes = ANSWERS.map((name) => ({ bar: make("span", { class: "mg-length" }), number: make("span", { class: "mg-push", "data-value": name }) }));
    this.axis = make("div", { class: "mg-axis", "aria-hidden": "true" });
    this.told = make("p", { class: "mg-told" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.replaceChildren(
      make("div", { class: "mg-desk" },
        make("div", {},
          slider("chosen", "Chosen, log-ratio", { min: -LIMIT, max: LIMIT, step: 0.01 }, (x) => x),
          slider("rejected", "Rejected, log-ratio", { min: -LIMIT, max: LIMIT, step: 0.01 }, (x) => x),
          slider("beta", "β, weight of both", { min: 0, max: BETAS.length - 1, step: 1 }, (i) => BETAS[i]),
          make("div", { class: "mg-buttons", role: "group", "aria-label": "Move both" },
            button("Take a step", () => this.step()), button("Back to 0, 0", () => this.change(START)),
            ...(this.hasAttribute("chosen") ? [button("What a run showed", () => this.change(this.run))] : [])),
          this.told),
        make("div", {},
          this.picture,
          make("dl", {}, ...["margin", "chance to agree", "loss"].map((text, i) =>
            make("div", {}, make("dt", { text }), this.numbers[i]))),
          make("p", { class: "mg-title", text: "Where the loss pushes" }),
          ...ANSWERS.map((name, i) => make("div", { class: `mg-pushed mg-${name}` },
            make("span", { text: name }), make("span", { class: "mg-track", "aria-hidden": "true" }, this.pushes[i].bar), this.pushes[i].number)),
          this.axis)),
      this.live);
  }

  change(state) {
    Object.assign(this.state, state);
    this.render();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.live.textContent = `${this.summary} ${this.told.textContent}`; }, ANNOUNCE);
  }

  // Against the gradient: both by the same amount, apart.
  step() {
    const { chosen, rejected } = this.state;
    this.change({ chosen: within(chosen + RATE * this.result.push), rejected: within(rejected - RATE * this.result.push) });
  }

  render() {
    const { chosen, rejected, beta } = this.state;
    this.result = dpo(chosen, rejected, beta);
    const { margin, agreement, loss, push } = this.result;
    for (const name of ANSWERS) {
      const ratio = this.state[name];
      this.values[name].textContent = plain(ratio);
      this.sliders[name].value = ratio;
      this.sliders[name].setAttribute("aria-valuetext", plain(ratio));
      this.notes[name].textContent = `${Math.exp(ratio).toFixed(2)} × the reference’s probability`;
    }
    this.values.beta.textContent = String(beta);
    this.sliders.beta.value = BETAS.findLastIndex((stop) => stop <= beta);
    this.sliders.beta.setAttribute("aria-valuetext", String(beta));
    this.notes.beta.textContent = `implied rewards ${fixed(beta * chosen, 3)}, ${fixed(beta * rejected, 3)}`;

    const [shownMargin, shownAgreement, shownLoss] = this.numbers;
    shownMargin.replaceChildren(`${beta} × (${plain(chosen)} − ${inBrackets(rejected)}) = `, make("b", { text: fixed(margin, 3) }));
    shownAgreement.replaceChildren(`σ(${fixed(margin, 3)}) = `, make("b", { text: agreement.toFixed(3) }));
    shownLoss.replaceChildren(`−ln ${agreement.toFixed(3)} = `, make("b", { text: `${loss.toFixed(3)} nats` }));

    const end = axisEnd(beta);
    this.pushes.forEach(({ bar, number }, i) => {
      bar.style.width = `${(50 * push / end).toFixed(2)}%`;
      number.textContent = `${i ? "▼ −" : "▲ +"}${push.toFixed(4)}`;
    });
    this.axis.replaceChildren(...axisMarks(end).slice(-1).flatMap((mark) => [make("span", { text: `−${mark.textContent}` }), make("span", { text: "0" }), mark]));
    this.picture.setAttribute("aria-label", `The loss falls as the margin grows, from ${dpo(-6, 0, 1).loss.toFixed(2)} at −6 through ln 2 at 0 to nearly 0 at 6. ${this.summary}`);
    drawLoss(this.picture, this.result);
    this.told.textContent = this.tell();
  }

  get summary() {
    const { margin, loss, push } = this.result;
    return `Margin ${fixed(margin, 3)}, loss ${loss.toFixed(3)}, pushes ${push.toFixed(4)} up and down.`;
  }

  tell() {
    const { chosen, rejected } = this.state;
    const { agreement, loss } = this.result;
    const often = `${(100 * agreement).toFixed(0)} times in 100`;
    if (chosen === rejected) {
      return `${chosen ? "Both answers changed alike" : "The model is still the reference"}: it says “the chosen one” as a coin would, and the loss is ln 2 = ${loss.toFixed(3)}, whatever β is.`;
    }
    if (chosen < rejected) {
      return `The implied reward prefers the rejected answer, and agrees with the choice ${often}. The surer the model is of the wrong one, the nearer each push comes to β.`;
    }
    const both = chosen < 0 ? "Both answers became less likely, the chosen one too. The loss fell all the same, as the rejected one fell further: it reads the difference and nothing else."
      : rejected > 0 ? "Both answers became likelier, the chosen one more: the loss reads the difference and nothing else."
        : "The chosen answer lies above the rejected one.";
    return `It agrees with the choice ${often}. ${both} The surer it is, the less is pushed.`;
  }
}

if (!customElements.get("preference-pair")) customElements.define("preference-pair", PreferencePair);
