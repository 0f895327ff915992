// What <training-run> shows once it is loaded: the settings, one run at a time (one-run.js), and the
// curves of those before it.

import { count, make, number } from "../../parts/token-chips.js";
import { EXPERIMENTS } from "./experiments.js";
import { OneRun } from "./one-run.js";
import { NewRunQuestion } from "./new-run-question.js";
import { drawRun } from "./run-chart.js";
import { RunFields } from "./run-fields.js";
import { RunInside } from "./run-inside.js";
import { RunSamples } from "./run-samples.js";
import { aboutLadder, described, differences, inShort, letter, nats, outcome, progress, rising, standing } from "./run-words.js";
import { TakeHome } from "./take-home.js";

const WORTH = 10;        // seconds of training from which on a run is not given up unasked
const TOLD = 4;          // times that a screen reader is told of a run's progress

let instances = 0;

export class TrainingBoard extends OneRun {
  constructor(host, data) {
    super(host.getAttribute("keep") ?? undefined);
    const id = `training-run-${++instances}`;
    Object.assign(this, { host, data });
    this.compact = host.hasAttribute("compact");
    this.simple = host.hasAttribute("simple");
    const inside = host.hasAttribute("inside");
    const presets = Object.fromEntries(["text", "tokens", "size", "rate", "steps"].map((name) => [name, host.getAttribute(name) ?? undefined]));
    this.fields = new RunFields({ id, data, presets, inside, rate: (rate) => this.changeRate(rate), changed: () => this.drawSoon(), say: (text) => this.say(text) });
    this.samples = new RunSamples({ id, compact: this.compact || this.simple, shown: (look) => this.shown(look), write: (prompt, step) => this.write(prompt, step) });
    if (inside) this.inside = new RunInside({ id, attend: (wish) => this.run?.attention(wish), announce: (text) => this.tell(text) });
    this.home = new TakeHome({ model: () => this.homeOfOwn(), say: (text) => this.say(text) });
    this.question = new NewRunQuestion({ id, begin: () => this.train(), back: () => this.button });
    this.build();
  }

  build() {
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.button = button("Train", () => this.press(), { "data-action": "train" });
    this.anew = button("Begin anew", () => this.wish());
    this.backs = button("Back to your run", () => this.goBack());
    this.forgets = button("Forget what is kept", () => this.forget());
    this.clear = button("Clear earlier curves", () => this.clearEarlier());
    this.message = make("p", { class: "mg-message", role: "status" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.line = make("p", { class: "mg-progress-line" });
    this.stands = make("p", { class: "mg-stands" });
    this.beside = make("p", { class: "mg-beside" });
    this.picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.picture.classList.add("mg-chart");
    this.picture.setAttribute("role", "img");
    this.key = make("ul", { class: "mg-key", "aria-label": "Curves" });
    this.ladderNote = make("p", { class: "mg-note mg-about-ladder" });
    const buttons = make("div", { class: "mg-buttons" }, this.button, ...(this.compact ? [] : [this.backs, this.anew, this.forgets, this.clear]));
    const seen = make("div", { class: "mg-seen" }, make("div", {}, this.picture, this.key, this.ladderNote, this.beside), this.samples.node);
    const told = [this.question.node, this.message, this.line, this.stands, seen];
    this.stage = buttons;
    if (this.compact) this.nodes = [buttons, ...told, this.more(), this.live];
    else if (this.simple) this.nodes = [this.buildExperiments("Learning rate"), buttons, ...told, this.live];
    else this.nodes = [this.fields.node, buttons, ...told, ...(this.inside ? [this.inside.node] : []), this.buildExperiments("Spoil it"), this.home.node, this.live];
  }

  more() {
    return make("p", { class: "mg-note" }, make("a", { href: "train.html", text: "Train one on a text of your own" }),
      ": with its size and its learning rate in your hands, and the model to take home.");
  }

  buildExperiments(title) {
    const names = this.experiments = (this.host.getAttribute("experiments") ?? "").split(" ").filter((name) => EXPERIMENTS[name]);
    const note = make("p", { class: "mg-note", text: this.simple ? "Choose one, and it trains. The curves stay side by side."
      : "Each trains beside your run, in as much memory again: 1,000 steps at most with the settings above, then with one of them changed. The curves stay." });
    const buttons = names.map((name) => make("button", {
      type: "button", class: "mg-button", text: EXPERIMENTS[name].label,
      click: () => {
        note.textContent = EXPERIMENTS[name].look;
        this.try(name);
        if (!this.simple) this.bringUp();
      },
    }));
    return make("div", { class: "mg-experiments", hidden: !names.length },
      make("p", { class: "mg-title", text: title }),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Experiments" }, ...buttons), note);
  }

  // The progress and the curve, which are above the experiments.
  bringUp() {
    const { top } = this.stage.getBoundingClientRect();
    if (top >= 0 && this.picture.getBoundingClientRect().bottom <= innerHeight) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage.scrollIntoView({ behavior: still ? "auto" : "smooth" });
  }

  // When its nodes are in the page.
  began() {
    this.watch = new ResizeObserver(() => this.drawSoon());
    this.watch.observe(this.picture);
    this.showState();
    this.showKey();
    if (!this.compact && !this.simple) this.fields.tell();
    if (this.keepAs) this.searched = this.lookForKept();
  }

  leave() {
    this.watch?.disconnect();
    super.leave();
  }

  // What the run tells

  say(text) { this.message.textContent = text; }
  tell(text) { this.live.textContent = text; }

  startTelling() { this.told = Math.floor(TOLD * this.current.step / this.current.order.recipe.steps); }

  // Four times a run, so that a screen reader can be heard between.
  tellProgress() {
    const { step, order: { recipe: { steps } }, losses } = this.current;
    const part = Math.floor(TOLD * step / steps);
    if (part <= this.told || part >= TOLD) return;
    this.told = part;
    this.tell(`Step ${number(step)} of ${number(steps)}, training loss ${nats(losses.at(-1))}.`);
  }

  // A new run takes the place of the reader's own: asked first, where that is worth something.
  async wish() {
    await this.searched;
    const { own } = this;
    const other = this.elsewhere && !own?.apart;  // kept by another tab, whatever is done here
    if (!own || own.seconds < WORTH || this.compact || this.simple || other) return this.train();
    return this.question.ask(`A new run takes the place of yours: ${inShort(own.order)}, step ${number(own.step)}. “Take it home”, below, saves its model first.`);
  }

  taken({ looks, facts }) {
    this.question.close();
    if (this.simple) facts.pairs = null;  // which the first chapter does not know
    this.clearSeen();
    for (const look of looks) this.samples.add(look);
    this.beside.textContent = rising(looks) ?? "";
    this.showKey();
  }

  clearSeen() {
    this.samples.clear();
    this.inside?.clear();
  }

  // The look that the slider is on: its sample, its gradients and its attention are shown together.
  shown(look) {
    this.inside?.show(look, this.current);
    this.drawSoon();
  }

  looked(look) {
    this.samples.add(look);
    this.beside.textContent = rising(this.current.looks) ?? "";
  }

  forgotten() {
    const focused = document.activeElement === this.forgets;
    if (!this.current) {
      this.clearSeen();
      this.setState("idle");
    }
    this.showState();
    if (focused) this.button.focus();
  }

  // step: whose weights write, where they are kept; of none, as they are now.
  async write(prompt, step) {
    if (!this.current) {
      this.say("There is no model yet: press “Train” first.");
      return undefined;
    }
    this.say("");
    const written = await this.ask("write", { step, prompt, tokens: 160, temperature: 0.8, seed: Math.floor(1e6 * Math.random()) });
    if (written) this.tell(`After ${count(written.step, "step")} it writes: ${written.text}`);
    return written && { prompt, wanted: step, ...written };
  }

  async goBack() {
    await this.back();
    this.button.focus();
  }

  clearEarlier() {
    this.earlier = [];
    this.showKey();
    this.showState();
    this.drawSoon();
    (this.simple ? this.host.querySelector(".mg-experiments button") : this.button).focus();
  }

  // What is shown

  showState() {
    const { state, current } = this;
    this.host.dataset.run = state;
    const paused = this.elsewhere && this.isOwn ? "Take it over" : "Go on";
    this.button.textContent = { starting: "Train", running: "Pause", paused, ended: "Train again", idle: "Train" }[state];
    this.button.hidden = this.simple && !["running", "paused"].includes(state);
    this.backs.hidden = !this.own || this.isOwn;
    this.anew.hidden = this.simple || !["running", "paused"].includes(state);
    this.forgets.hidden = !this.isKept;
    this.clear.hidden = !this.earlier.length;
    this.home.show(this.own, current && !this.isOwn);
  }

  // Once a frame.
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const { current, state, ladder } = this;
    if (!this.picture.clientWidth) return;
    const steps = this.fields.steps.valueAsNumber || 1000;
    const blank = { losses: [], looks: [], facts: { guessing: Math.log(65), pairs: null, unread: true }, order: { recipe: { steps } } };
    const unit = this.simple ? "loss" : undefined;
    const smooth = drawRun(this.picture, [...this.earlier, current ?? blank], { compact: this.compact, at: this.samples.look, ladder, unit });
    this.inside?.draw(current);
    this.ladderNote.textContent = ladder ? aboutLadder(this.data.ladder, current.facts) : "";
    this.picture.setAttribute("aria-label", current ? described(current, smooth) : "Axes for the loss by step; the curve comes with the training.");
    this.line.textContent = !current ? (state === "starting" ? "It reads the text …" : "No step has been made yet.")
      : progress({ ...current, steps: current.order.recipe.steps });
    this.stands.textContent = smooth.length && !current.broke ? standing(current, smooth.at(-1)) : "";
    if (state === "running") this.forgets.hidden = !this.isKept;
    if (state !== "running" || current?.step) this.home.show(this.own, current && !this.isOwn);
  }

  // The book's own models, where this one learns what they did.
  get ladder() {
    const { text, rungs } = this.data.ladder;
    const { title, merges } = this.current?.order ?? {};
    const plays = this.data.texts.find(({ name }) => name === text)?.title;
    return !this.compact && title === plays && merges === 0 ? rungs : undefined;
  }

  showKey() {
    const sample = (name, text = "") => make("span", { class: `mg-line mg-line-${name}`, "aria-hidden": "true", text });
    const entry = (name, text, inside) => make("li", {}, sample(name, inside), text);
    const named = this.earlier.length ? differences([...this.earlier, this.current].map(({ order }) => order)) : [""];
    this.key.replaceChildren(
      entry("training", `${this.earlier.length ? `this run, ${named.at(-1)}: ` : ""}training loss, smoothed`),
      entry("validation", "on the text kept apart"),
      ...this.earlier.map((run, i) => entry(`earlier-${i % 4}`, `${run === this.own ? "your run" : "earlier"}: ${named[i]}${outcome(run)}`, letter(i))));
  }
}
