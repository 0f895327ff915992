// What <training-run> shows and does once it is loaded: one run at a time (run-in-worker.js), and
// the curves of those before it.

import { forget, kept } from "../../engine/training/kept-run.js";
import { RunInWorker } from "../../engine/training/run-in-worker.js";
import { make, number } from "../../parts/token-chips.js";
import { EXPERIMENTS } from "./experiments.js";
import { drawRun } from "./run-chart.js";
import { RunFields } from "./run-fields.js";
import { RunSamples } from "./run-samples.js";
import { described, differences, duration, inShort, nats, progress, rising, standing, verdict } from "./run-words.js";
import { TakeHome } from "./take-home.js";
import { whyNoRun } from "./why-no-run.js";

const EARLIER = 4;       // runs whose curves stay
const TOLD = 4;          // times that a screen reader is told of a run's progress

let instances = 0;

export class TrainingBoard {
  state = "idle";     // or starting, running, paused, ended
  earlier = [];       // {order, facts, losses, looks, step, seconds}, as `current`
  told = 0;

  constructor(host, data) {
    const id = `training-run-${++instances}`;
    this.host = host;
    this.compact = host.hasAttribute("compact");
    this.keepAs = host.getAttribute("keep") ?? undefined;
    const presets = Object.fromEntries(["text", "tokens", "size", "rate", "steps"].map((name) => [name, host.getAttribute(name) ?? undefined]));
    this.fields = new RunFields({ id, data, presets, rate: (rate) => this.changeRate(rate), say: (text) => this.say(text) });
    this.samples = new RunSamples({ id, compact: this.compact, shown: () => this.drawSoon(), write: (prompt) => this.write(prompt) });
    this.home = new TakeHome({ files: () => this.ask("files"), say: (text) => this.say(text) });
    this.build();
  }

  build() {
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    this.button = button("Train", () => this.press(), { "data-action": "train" });
    this.anew = button("Begin anew", () => this.train());
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
    const buttons = make("div", { class: "mg-buttons" }, this.button, ...(this.compact ? [] : [this.anew, this.forgets, this.clear]));
    const seen = make("div", { class: "mg-seen" }, make("div", {}, this.picture, this.key, this.beside), this.samples.node);
    this.nodes = this.compact
      ? [buttons, this.message, this.line, this.stands, seen, this.more(), this.live]
      : [this.fields.node, buttons, this.message, this.line, this.stands, seen, this.buildExperiments(), this.home.node, this.live];
  }

  more() {
    return make("p", { class: "mg-note" }, make("a", { href: "train.html", text: "Train one on a text of your own" }),
      ": with its size and its learning rate in your hands, and the model to take home.");
  }

  buildExperiments() {
    const names = (this.host.getAttribute("experiments") ?? "").split(" ").filter((name) => EXPERIMENTS[name]);
    const note = make("p", { class: "mg-note", text: "Each begins a run with the settings above and one of them changed; the curve before it stays beside it." });
    const buttons = names.map((name) => make("button", {
      type: "button", class: "mg-button", text: EXPERIMENTS[name].label,
      click: () => {
        note.textContent = EXPERIMENTS[name].look;
        this.train({}, EXPERIMENTS[name].change);
      },
    }));
    return make("div", { class: "mg-experiments", hidden: !names.length },
      make("p", { class: "mg-title", text: "Spoil it" }),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Experiments" }, ...buttons), note);
  }

  // When its nodes are in the page.
  began() {
    this.watch = new ResizeObserver(() => this.drawSoon());
    this.watch.observe(this.picture);
    this.showState();
    if (!this.compact) this.fields.tell();
    if (this.keepAs) this.lookForKept();
  }

  leave() {
    this.watch?.disconnect();
    this.run?.close();
    this.run = undefined;
    if (this.state === "running") this.stand("paused");
  }

  // The run

  press() {
    if (this.state === "running") return this.run.pause();
    if (this.state === "paused") return this.goOn();
    return this.state === "starting" ? undefined : this.train();
  }

  // A new run. changes: of the recipe; change: as in experiments.js. Resolves when it stands.
  async train(changes = {}, change = () => ({})) {
    const asked = this.asked = {};  // whoever asks last has it
    const before = this.current;
    this.setState("starting");
    this.say("");
    try {
      const order = await this.fields.order((plain) => {
        const changed = change(plain);
        return { ...changed, recipe: { ...(changed.recipe ?? plain.recipe), ...changes } };
      });
      this.run?.close();
      this.run = undefined;
      this.stood?.();  // who waits for the one before
      const run = await RunInWorker.start({ order, keepAs: this.keepAs, inScript: this.inScript }, (news) => this.hear(news));
      if (asked !== this.asked || !this.host.isConnected) return run.close();
      this.run = run;
      if (before?.losses.length) this.earlier = [...this.earlier, before].slice(-EARLIER);
      this.take({ order, facts: run.facts, losses: [], looks: [], step: 0, seconds: 0 });
    } catch (error) {
      if (asked === this.asked) this.fail(error);
      return undefined;
    }
    this.tell(`It trains: ${inShort(this.current.order)}.`);
    return this.goOn();
  }

  // Resolves when it stands again.
  async goOn() {
    this.say("");
    const stood = new Promise((resolve) => { this.stood = resolve; });
    if (!await this.reach()) return;
    this.setState("running");
    this.told = Math.floor(TOLD * this.current.step / this.current.order.recipe.steps);
    await this.run.go();
    await stood;
  }

  // The run of `current`: of one that was kept, its worker is yet to be started.
  async reach() {
    if (this.run) return this.run;
    try {
      this.run = await RunInWorker.start({ keepAs: this.keepAs, inScript: this.inScript }, (news) => this.hear(news));
      const { losses, looks, step, seconds } = this.run.facts;
      Object.assign(this.current, { losses: [...losses], looks, step, seconds });
    } catch (error) {
      this.fail(error);
    }
    return this.run;
  }

  hear({ losses, step, seconds, perSecond, look, stopped, ended, kept: atStep, keepsNothing, failed, name }) {
    const { current } = this;
    if (losses) {
      for (const loss of losses) current.losses.push(loss);
      Object.assign(current, { step, seconds, perSecond });
      this.tellProgress();
    }
    if (look) {
      current.looks.push(look);
      this.samples.add(look);
      this.beside.textContent = rising(current.looks) ?? "";
    }
    if (atStep !== undefined) this.isKept = true;
    if (keepsNothing) this.say(`This browser keeps nothing (${keepsNothing}): the run is lost when its tab is closed. It trains all the same.`);
    if (failed) {
      this.fail(Object.assign(new Error(failed), { name }), ended);
    } else if (stopped !== undefined) {
      this.stand(ended ? "ended" : "paused");
    }
    this.drawSoon();
  }

  stand(state) {
    this.setState(state);
    if (this.current?.looks.length) {
      const { loss } = this.current.looks.at(-1);
      this.tell(`${state === "ended" ? "It has learned." : "It waits."} Step ${number(this.current.step)}, loss ${nats(loss)}: ${verdict(loss, this.current.facts)}.`);
    }
    this.stood?.();
  }

  fail(error) {
    this.setState(this.current?.step ? "ended" : "idle");
    this.say(whyNoRun(error));
    this.stood?.();
  }

  take(current) {
    this.current = current;
    this.samples.clear();
    for (const look of current.looks) this.samples.add(look);
    this.beside.textContent = rising(current.looks) ?? "";
    this.showKey();
    this.drawSoon();
  }

  changeRate(rate) {
    if (!["running", "paused"].includes(this.state) || !this.run) return;
    this.current.order.recipe.learning_rate = rate;
    this.run.setRate(rate).catch(() => {});  // of a worker that broke, its news tell
  }

  // Of the worker, with its error in words.
  async ask(method, ...args) {
    try {
      return await (await this.reach())?.[method](...args);
    } catch (error) {
      this.say(whyNoRun(error));
      return undefined;
    }
  }

  async write(prompt) {
    if (!this.current) {
      this.say("There is no model yet: press “Train” first.");
      return undefined;
    }
    this.say("");
    const text = await this.ask("write", { prompt, tokens: 160, temperature: 0.8, seed: Math.floor(1e6 * Math.random()) });
    if (text !== undefined) this.tell(`It writes: ${text}`);
    return text === undefined ? undefined : { prompt, text, step: this.current.step };
  }

  // What is kept

  async lookForKept() {
    let record;
    try {
      record = await kept(this.keepAs);
    } catch {
      return;  // told of when a run should be kept
    }
    if (!record || this.current) return;
    const { order, facts, losses, looks, seconds, state: { steps: step } } = record;
    this.isKept = true;
    this.take({ order, facts, losses: [...losses], looks, seconds, step });
    this.setState(step >= order.recipe.steps ? "ended" : "paused");
    this.say(`A run of yours was kept in this browser: ${inShort(order)}, step ${number(step)} of ${number(order.recipe.steps)}.${this.state === "paused" ? " “Go on” takes it up." : ""}`);
  }

  async forget() {
    try {
      await (this.run ? this.run.forget() : forget(this.keepAs));
      await forget("for the playground");
    } catch (error) {
      this.say(`It could not be forgotten: ${error.message}.`);
      return;
    }
    this.isKept = false;
    const focused = document.activeElement === this.forgets;
    if (!this.run) {
      this.current = undefined;
      this.samples.clear();
      this.setState("idle");
    }
    this.showState();
    if (focused) this.button.focus();
    this.say("Nothing of it is kept in this browser any more, its text included.");
  }

  clearEarlier() {
    this.earlier = [];
    this.showKey();
    this.showState();
    this.drawSoon();
    this.button.focus();
  }

  // What is shown

  say(text) { this.message.textContent = text; }
  tell(text) { this.live.textContent = text; }

  // Four times a run, so that a screen reader can be heard between.
  tellProgress() {
    const { step, order: { recipe: { steps } }, losses } = this.current;
    const part = Math.floor(TOLD * step / steps);
    if (part <= this.told || part >= TOLD) return;
    this.told = part;
    this.tell(`Step ${number(step)} of ${number(steps)}, loss ${nats(losses.at(-1))}.`);
  }

  setState(state) {
    this.state = state;
    this.showState();
    this.drawSoon();
  }

  showState() {
    const { state, current } = this;
    this.host.dataset.run = state;
    this.button.textContent = { starting: "Train", running: "Pause", paused: "Go on", ended: "Train again", idle: "Train" }[state];
    this.anew.hidden = !["running", "paused"].includes(state);
    this.forgets.hidden = !this.isKept;
    this.clear.hidden = !this.earlier.length;
    this.home.show(current);
  }

  // Once a frame.
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const { current, state } = this;
    if (!this.picture.clientWidth) return;
    const blank = { losses: [], looks: [], facts: { guessing: Math.log(65), pairs: null }, order: { recipe: { steps: 1000 } } };
    const smooth = drawRun(this.picture, [...this.earlier, current ?? blank], { compact: this.compact, at: this.samples.look });
    this.picture.setAttribute("aria-label", current ? described(current, smooth) : "Axes for the loss by step; the curve comes with the training.");
    this.line.textContent = !current ? (state === "starting" ? "It reads the text …" : "No step has been made yet.")
      : progress({ ...current, steps: current.order.recipe.steps });
    this.stands.textContent = smooth.length ? standing(current, smooth.at(-1)) : "";
    if (state === "running") this.forgets.hidden = !this.isKept;
    if (state !== "running" || current?.step) this.home.show(current);
  }

  showKey() {
    const sample = (name) => make("span", { class: `mg-line mg-line-${name}`, "aria-hidden": "true" });
    const entry = (name, text) => make("li", {}, sample(name), text);
    this.key.replaceChildren(entry("training", "training loss, smoothed"), entry("validation", "on the text kept apart"),
      ...this.earlier.map(({ order, looks, seconds }, i) => entry(`earlier-${i % 4}`,
        `earlier: ${differences(order, this.current.order)}${looks.length ? `; ended at ${nats(looks.at(-1).loss)} after ${duration(seconds)}` : ""}`)));
  }
}
