// The run of a board: begun, paused, gone on with, kept, and those before it. What of it is shown is
// the board's affair (training-board.js).

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
  told = 0;

  constructor(keepAs) {
    this.keepAs = keepAs;
    this.lock = keepAs && new RunLock(keepAs, (late) => this.letGo(late));
  }

  leave() {
    this.end();
    this.lock?.leave();
    if (this.state === "running") this.stand("paused");
  }

  end() {
    this.run?.close();
    this.run = undefined;
  }

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
      this.end();
      this.stood?.();  // who waits for the one before
      const mine = !this.lock || await this.lock.take();
      const run = await this.started({ order, keepAs: mine ? this.keepAs : undefined });
      if (asked !== this.asked || !this.host.isConnected) return run.close();
      this.run = run;
      this.keptStep = undefined;
      if (before?.losses.length) this.earlier = [...this.earlier, before].slice(-EARLIER);
      this.take({ order, facts: run.facts, losses: [], looks: [], step: 0, seconds: 0, apart: !mine });
    } catch (error) {
      if (asked === this.asked) this.fail(error);
      return undefined;
    }
    this.tell(`It trains: ${inShort(this.current.order)}.`);
    return this.goOn();
  }

  started(wish) {
    return RunInWorker.start({ ...wish, inScript: this.inScript }, (news) => this.hear(news));
  }

  // An experiment: first the settings as they are, where no curve shows them, to compare with.
  async try(name) {
    const experiment = EXPERIMENTS[name];
    if (!experiment.alone) {
      const plain = await this.fields.order(shortened).catch(() => undefined);  // told by `train`
      if (plain && !this.ended.some(({ order }) => differences([order, plain])[0] === differences([plain])[0])) {
        await this.train({}, shortened);
        if (this.state !== "ended" || this.current.broke || this.current.step < plain.recipe.steps) return;
      }
    }
    await this.train({}, spoilt(experiment));
  }

  get ended() {
    return [...this.earlier, this.current].filter((run) => run && run.step >= run.order.recipe.steps);
  }

  // Resolves when it stands again.
  async goOn() {
    this.say(this.current?.apart ? "A run that is open in another tab is the one that is kept; this one is not." : "");
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
      await this.lock?.takeOver();
      this.elsewhere = false;
      this.run = await this.started({ keepAs: this.keepAs });
      const { order, losses, looks, best, step, seconds } = this.run.facts;
      this.take({ order, facts: this.run.facts, losses: [...losses], looks: [...looks], best, step, seconds });
    } catch (error) {
      this.fail(error);
    }
    return this.run;
  }

  // Another tab goes on with it. late: it has begun already.
  async letGo(late) {
    if (!this.run) return;
    if (!late) await this.run.pause().catch(() => {});
    this.end();
    this.elsewhere = true;
    this.stand(this.current.step >= this.current.order.recipe.steps ? "ended" : "paused");
    this.say("This run goes on in another tab.");
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
      this.tell(`${state === "ended" ? "It has learned." : "It waits."} Step ${number(this.current.step)}, loss ${nats(loss)}: ${verdict(loss, this.current.facts)}.`);
    }
    this.stood?.();
  }

  // Of a run with no loss any more, or without its worker.
  broken(error, worker) {
    this.current.broke = true;
    this.fail(error);
    if (!worker) return;
    this.end();
    if (!this.isKept || this.current.apart) {
      this.say(`${whyNoRun(error)} What it had learned is lost.`);
      return;
    }
    this.current.broke = false;
    this.setState("paused");
    this.say(`${whyNoRun(error)} Nothing before step ${number(this.keptStep)} is lost: “Go on” takes it up there.`);
  }

  fail(error) {
    this.setState(this.current?.step ? "ended" : "idle");
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
    let record;
    try {
      record = await kept(this.keepAs);
      this.elsewhere = await this.lock.isElsewhere();
    } catch {
      return;  // told of when a run should be kept
    }
    if (!record || this.current) return;
    const { order, facts, losses, looks, seconds, state: { steps: step } } = record;
    this.isKept = true;
    this.keptStep = step;
    this.take({ order, facts, losses: [...losses], looks, best: facts.best, seconds, step });
    this.setState(step >= order.recipe.steps ? "ended" : "paused");
    const where = this.elsewhere ? "A run of yours is open in another tab" : "A run of yours was kept in this browser";
    const way = this.elsewhere ? "“Take it over” stops it there, and goes on with it here." : "“Go on” takes it up.";
    this.say(`${where}: ${inShort(order)}, step ${number(step)} of ${number(order.recipe.steps)}.${this.state === "paused" ? ` ${way}` : ""}`);
  }

  async forget() {
    try {
      if (!this.run) await this.lock.takeOver();  // or another tab would keep it again
      await (this.run ? this.run.forget() : forget(this.keepAs));
      await forget("for the playground");
    } catch (error) {
      this.say(`It could not be forgotten: ${error.message}.`);
      return;
    }
    this.isKept = false;
    if (!this.run) {
      this.current = undefined;
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
