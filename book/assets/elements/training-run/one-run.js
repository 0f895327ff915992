// The runs of a board: begun, paused, gone on with, kept, and those before. One is the reader's own:
// an experiment is shown in its place, and does not take it; it rests meanwhile. What of a run is
// shown is the board's affair (training-board.js).

import { forget, kept } from "../../engine/training/kept-run.js";
import { RunInWorker } from "../../engine/training/run-in-worker.js";
import { RunLock } from "../../engine/training/run-lock.js";
import { number } from "../../parts/token-chips.js";
import { EXPERIMENTS, shortened, spoilt } from "./experiments.js";
import { differences, inShort, nats, verdict } from "./run-words.js";
import { whyNoRun, whyNotKept } from "./why-no-run.js";

const EARLIER = 4;       // runs whose curves stay

// A board has `fields`, `say`, `tell`, `tellProgress`, `showState`, `drawSoon`, `taken`, `looked`.
export class OneRun {
  state = "idle";     // or starting, running, paused, ended
  earlier = [];       // {order, facts, losses, looks, best, step, seconds, broke}, as `current`
  own = undefined;    // the reader's, which is kept and taken home; `current` unless an experiment is
  resting = undefined;  // its worker, while an experiment has `run`
  searched = undefined;  // resolves when it is known what is kept
  told = 0;

  constructor(keepAs) {
    this.keepAs = keepAs;
    this.lock = keepAs && new RunLock(keepAs, (late) => this.letGo(late));
  }

  leave() {
    this.end();
    this.rest(undefined);
    this.lock?.leave();
    if (this.state === "running") this.stand("paused");
  }

  end() {
    this.run?.close();
    this.run = undefined;
  }

  rest(run) {
    this.resting?.close();
    this.resting = run;
  }

  get isOwn() { return this.current === this.own; }

  press() {
    if (this.state === "running") return this.run.pause();
    if (this.state === "paused") return this.goOn();
    return this.state === "starting" ? undefined : this.wish();
  }

  // The reader's wish for a new run; a board may ask first.
  wish() { return this.train(); }

  // A new run, in the place of the reader's own. changes: of the recipe. Resolves when it stands.
  train(changes = {}) {
    return this.begin((plain) => ({ recipe: { ...plain.recipe, ...changes } }));
  }

  // change: as in experiments.js. words: of an experiment, what to look for; it is not kept.
  async begin(change, words) {
    const asked = this.asked = {};  // whoever asks last has it
    const experiment = words !== undefined;
    const before = this.current;
    try {
      if (this.state === "running") await this.halt();
      this.setState("starting");
      this.say("");
      const order = await this.fields.order(change);
      const mine = experiment || !this.lock || await this.lock.take();
      const run = await this.started({ order, keepAs: mine && !experiment ? this.keepAs : undefined });
      if (asked !== this.asked || !this.host.isConnected) return run.close();
      if (experiment && this.isOwn) this.rest(this.run);
      else this.end();
      if (!experiment) this.rest(undefined);
      this.run = run;
      this.putAside(before);
      const current = { order, facts: run.facts, losses: [], looks: [], step: 0, seconds: 0, apart: !mine, words };
      if (!experiment) [this.own, this.keptStep] = [current, undefined];
      this.take(current);
    } catch (error) {
      if (asked === this.asked) this.fail(error);
      return undefined;
    }
    this.tell(`It trains: ${inShort(this.current.order)}.`);
    return this.goOn();
  }

  // What runs, before another does: the reader's own is kept as it stands.
  async halt() {
    if (this.isOwn) return this.run.pause();
    this.end();
    this.current.over = true;
    return this.stood?.();
  }

  putAside(run) {
    const others = this.earlier.filter((other) => other !== run);
    if (run?.losses.length) this.earlier = [...others, run].slice(-EARLIER);
  }

  async started(wish) {
    const run = await RunInWorker.start({ ...wish, inScript: this.inScript }, (news) => {
      if (run === this.run) this.hear(news);
      else if (news.broke && run === this.resting) this.rest(undefined);
    });
    return run;
  }

  // From an experiment to the reader's own run.
  async back() {
    this.asked = this.trying = undefined;
    if (this.state === "running") await this.halt();
    this.end();
    this.putAside(this.current);
    this.earlier = this.earlier.filter((run) => run !== this.own);
    [this.run, this.resting] = [this.resting, undefined];
    this.take(this.own);
    this.setState(this.standing);
    this.say("");
  }

  // What `current` is, when nothing goes.
  get standing() {
    const { current } = this;
    if (!current) return "idle";
    return current.broke || current.over || current.step >= current.order.recipe.steps ? "ended" : "paused";
  }

  // An experiment: first the settings as they are, where no curve shows them, to compare with.
  async try(name) {
    const experiment = EXPERIMENTS[name];
    const { label, look, alone } = experiment;
    const trying = this.trying = {};
    await this.searched;  // or what is kept would not be known to rest
    if (!alone) {
      const plain = await this.fields.order(shortened).catch(() => undefined);  // told by `train`
      if (plain && !this.ended.some(({ order }) => differences([order, plain])[0] === differences([plain])[0])) {
        await this.begin(shortened, `First the settings as they are, to compare with. Then: “${label}”.`);
        if (trying !== this.trying || this.state !== "ended" || this.current.broke || this.current.step < plain.recipe.steps) return;
      }
    }
    await this.begin(spoilt(experiment), alone ? "" : `${label}. ${look}`);
  }

  get ended() {
    return [...this.earlier, this.current].filter((run) => run && run.step >= run.order.recipe.steps);
  }

  // Resolves when it stands again.
  async goOn() {
    this.say(this.current?.apart ? "A run that is open in another tab is the one that is kept; this one is not." : this.current?.words ?? "");
    const stood = new Promise((resolve) => { this.stood = resolve; });
    const run = await this.reach();
    if (!run || run !== this.run) return;  // it may have died meanwhile
    this.setState("running");
    this.startTelling();
    run.go().catch(() => {});  // of a worker that broke, its news tell
    await stood;
  }

  // The run of `current`: of one that was kept, its worker is yet to be started, and another tab may
  // have it.
  async reach() {
    if (this.run) return this.run;
    try {
      if (this.current && !this.isOwn) throw new Error("this experiment is over: press its button again");
      const { elsewhere } = this;
      this.run = await this.opened();
      if (elsewhere) this.fields.restore(this.run.facts.order);  // which may be another run by now
      const { order, losses, looks, best, step, seconds } = this.run.facts;
      this.own = { order, facts: this.run.facts, losses: [...losses], looks: [...looks], best, step, seconds };
      this.take(this.own);
    } catch (error) {
      this.fail(error);
    }
    return this.run;
  }

  // A worker of the run that is kept.
  async opened() {
    await this.lock?.takeOver();
    this.elsewhere = false;
    return this.started({ keepAs: this.keepAs });
  }

  // The reader's own model, whatever is shown: {step, files}.
  async homeOfOwn() {
    if (this.isOwn) return this.ask("home");
    try {
      this.resting ??= await this.opened();
      return await this.resting.home();
    } catch (error) {
      if (this.isKept) this.rest(undefined);  // so that the next press opens it again
      this.say(whyNoRun(error));
      return undefined;
    }
  }

  // Another tab goes on with it. late: it has begun already.
  async letGo(late) {
    const run = this.isOwn ? this.run : this.resting;
    if (!run) return;
    if (!late) await run.pause().catch(() => {});
    this.elsewhere = true;
    if (this.isOwn) {
      this.end();
      this.stand(this.standing);
      this.say("This run goes on in another tab.");
    } else {
      this.rest(undefined);
      this.say("Your run goes on in another tab.");
    }
  }

  hear({ losses, step, seconds, perSecond, look, best, stopped, ended, kept: atStep, keepsNothing, failed, name, broke }) {
    const { current } = this;
    if (losses) {
      for (const loss of losses) current.losses.push(loss);
      Object.assign(current, { step, seconds, perSecond });
      this.tellProgress();
    }
    if (look) {
      current.looks.push(look);
      current.best = best;
      this.looked(look);
    }
    if (atStep !== undefined) {
      this.isKept = true;
      this.keptStep = atStep;
    }
    if (keepsNothing) this.say(whyNotKept({ name, message: keepsNothing }, this.keptStep));
    if (failed) {
      this.broken(Object.assign(new Error(failed), { name }), broke);
    } else if (stopped !== undefined) {
      this.stand(ended ? "ended" : "paused");
    }
    this.drawSoon();
  }

  stand(state) {
    this.setState(state);
    if (this.current?.looks.length) {
      const { loss } = this.current.looks.at(-1);
      this.tell(`${state === "ended" ? "It has learned." : "It waits."} Step ${number(this.current.step)}, loss on the text kept apart ${nats(loss)}: ${verdict(loss, this.current.facts)}.`);
    }
    this.stood?.();
  }

  // Of a run with no loss any more, or without its worker.
  broken(error, worker) {
    this.current.broke = true;
    this.fail(error);
    if (!worker) return;
    this.end();
    if (!this.isKept || this.current.apart || !this.isOwn) {
      this.say(`${whyNoRun(error)} What it had learned is lost.`);
      return;
    }
    this.current.broke = false;
    this.setState("paused");
    this.say(`${whyNoRun(error)} Nothing before step ${number(this.keptStep)} is lost: “Go on” takes it up there.`);
  }

  fail(error) {
    this.setState(this.current?.step ? this.standing : "idle");
    this.say(whyNoRun(error));
    this.stood?.();
  }

  take(current) {
    this.current = current;
    this.taken(current);
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

  // What is kept

  async lookForKept() {
    let [record, elsewhere] = [];
    try {
      record = await kept(this.keepAs);
      elsewhere = await this.lock.isElsewhere();
    } catch {
      return;  // told of when a run should be kept
    }
    if (!record || this.current) return;
    this.elsewhere = elsewhere;
    const { order, facts, losses, looks, seconds, state: { steps: step } } = record;
    this.isKept = true;
    this.keptStep = step;
    this.own = { order, facts, losses: [...losses], looks, best: facts.best, seconds, step };
    this.fields.restore(order);
    this.take(this.own);
    this.setState(this.standing);
    const where = this.elsewhere ? "A run of yours is open in another tab" : "A run of yours was kept in this browser";
    const way = this.elsewhere ? "“Take it over” stops it there, and goes on with it here." : "“Go on” takes it up.";
    this.say(`${where}: ${inShort(order)}, step ${number(step)} of ${number(order.recipe.steps)}.${this.state === "paused" ? ` ${way}` : ""}`);
  }

  async forget() {
    try {
      const run = this.isOwn ? this.run : this.resting;
      if (!run) await this.lock.takeOver();  // or another tab would keep it again
      await (run ? run.forget() : forget(this.keepAs));
      await forget("for the playground");
    } catch (error) {
      this.say(`It could not be forgotten: ${error.message}.`);
      return;
    }
    this.isKept = false;
    if (!(this.isOwn ? this.run : this.resting)) {
      if (this.isOwn) this.current = undefined;
      this.own = undefined;
      this.lock?.leave();
    }
    this.forgotten();
    this.say("Nothing of it is kept in this browser any more, its text included.");
  }

  setState(state) {
    this.state = state;
    this.showState();
    this.drawSoon();
  }
}
