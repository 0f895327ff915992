// A run as a page drives it: in slices, so that whoever asks is answered between two steps; with a
// look at what it has learned now and then; kept in the browser, so that a closed tab loses little.

import { attentionOf } from "./attention-of.js";
import { beginning, writtenSample } from "./written-sample.js";
import { keep } from "./kept-run.js";
import { SecondCore, windowsOfSecond } from "./second-core.js";
import { modelFiles } from "./model-files.js";
import { lookSteps, Snapshots } from "./snapshots.js";
import { lossOfPairs, readText } from "./texts.js";
import { trainedConfig } from "./trained-gpt.js";
import { TrainingRun } from "./training-run.js";

const SLICE = 50;         // milliseconds of steps, then messages are answered
const TELL = 200;         // milliseconds between two reports
const KEEP = 10_000;      // milliseconds between two states that are kept
const SOON = 1000;        // until the first
const WATCHED = 24;        // characters of the sentence whose attention is shown, if no other is given
const MOST_PAIRED = 2048;  // tokens of a vocabulary whose pairs are counted: it takes the square

const now = () => performance.now();

// After the messages that wait. A timer would wait longer, and longest in a hidden tab.
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.shift()();
const afterMessages = () => new Promise((resolve) => {
  waiting.push(resolve);
  channel.port2.postMessage(null);
});

export class TrainingJob {
  // order: {text, merges, sizes, recipe, spread, look, inside, sample}: the text to learn from; the merges
  // of BPE, or 0 for characters; n_layer, n_head, n_embd, n_positions; the recipe; by what the
  // first weights are multiplied; steps between two looks; whether they look inside, at gradients
  // and with snapshots; {prompt, tokens, seed} of their samples.
  // together: whether a second core helps; if it is not said, where that pays.
  // tell: told the news. keepAs: the name that the run is kept under, or nothing. before: what was
  // kept of it.
  static async begin(order, { wasm, tell, keepAs, before }) {
    const { text, merges, sizes, recipe, spread = 1, together } = order;
    const read = readText(text, { merges, length: sizes.n_positions });
    const config = trainedConfig(read.tokenizer.size, sizes);
    const run = await TrainingRun.make({ config, recipe, text: read, wasm });
    const job = new TrainingJob(order, run, read, { tell, keepAs });
    if (before) job.takeUp(before);
    else if (spread !== 1) widen(run.model, spread);
    const length = sizes.n_positions;
    const batch = windowsOfSecond(run.model.count, recipe.batch_size, length, together);
    if (batch) job.second = await SecondCore.start(config, { batch, length }, !wasm);
    return job;
  }

  constructor(order, run, read, { tell, keepAs }) {
    Object.assign(this, { order, run, read, tell, keepAs });
    this.prompt = this.idsOf(order.sample.prompt);
    const wish = { steps: order.recipe.steps, look: order.look, inside: order.inside };
    this.lookSteps = new Set(lookSteps(wish));
    this.snapshots = new Snapshots(wish, run.model.count);
    this.best = undefined;  // {step, loss, weights}, where the loss on the text kept apart was lowest
    this.losses = [];
    this.looks = [];      // {step, loss, text}, and `gradients` of those that look inside
    this.seconds = 0;     // of work
    this.turn = 0;        // the loop that began last is the one that works
    this.told = 0;        // losses that the page knows
    this.tellAt = now();
    this.keptAt = now() - KEEP + SOON;
  }

  takeUp({ state, losses, looks, seconds, best }) {
    this.run.goOn(state);
    Object.assign(this, { losses: [...losses], looks, seconds, best, told: losses.length });
    this.snapshots.due.add(state.steps);
    this.snapshots.take(state.steps, state.weights);
  }

  // What is known before the first step, and what there is of one that goes on.
  get facts() {
    const { tokenizer, training, validation, characters } = this.read;
    const { model: { config, count } } = this.run;
    this.pairs ??= tokenizer.size <= MOST_PAIRED ? lossOfPairs(training, validation, tokenizer.size) : null;
    return {
      config, count, characters, cores: this.second ? 2 : 1, training: training.length, validation: validation.length,
      guessing: Math.log(tokenizer.size), pairs: this.pairs, sentence: sentenceOf(tokenizer, validation),
      step: this.run.steps, losses: Float32Array.from(this.losses), looks: this.looks, seconds: this.seconds, best: this.lowest,
    };
  }

  idsOf(prompt) {
    const { tokenizer, training } = this.read;
    return prompt ? tokenizer.encode(prompt) : beginning(tokenizer, training[0]);
  }

  // Until a step, or until it is paused. Resolves when it stops.
  async go(until = this.order.recipe.steps) {
    const turn = ++this.turn;
    const mine = () => turn === this.turn;
    [this.since, this.from] = [this.seconds, this.run.steps];
    try {
      while (mine()) {
        if (this.lookIsDue) await this.look(mine);
        if (!mine() || this.run.steps >= until) break;
        await this.slice(until, mine);
        if (this.keepAs && now() - this.keptAt > KEEP) await this.keepState();
        await afterMessages();
      }
      if (mine()) await this.stop();
    } catch (error) {
      if (mine()) this.turn++;
      this.report();
      this.tell({ failed: error.message, name: error.name });
    }
  }

  // After the step at hand; what has been done is told, and kept.
  async stop() {
    this.turn++;
    await this.atHand;
    this.report();
    if (this.keepAs) await this.keepState();
    this.tell({ stopped: this.run.steps, ended: this.run.steps >= this.order.recipe.steps });
  }

  async slice(until, mine) {
    const began = now();
    do {
      if (this.second) await (this.atHand = this.stepTogether());
      else this.losses.push(this.run.step().loss);
    } while (mine() && this.run.steps < until && !this.lookIsDue && now() - began < SLICE);
    this.seconds += (now() - began) / 1000;
    if (now() - this.tellAt > TELL) this.report();
  }

  // A second core that fails is left out from then on; nothing is lost, as it had moved nothing.
  async stepTogether() {
    try {
      const { loss } = await this.run.stepWith(this.second);
      this.losses.push(loss);
    } catch (error) {
      if (!this.second.failed) throw error;
      this.second = undefined;
    }
  }

  report() {
    const { run, seconds } = this;
    const perSecond = (run.steps - this.from) / (seconds - this.since);
    this.tell({ losses: Float32Array.from(this.losses.slice(this.told)), step: run.steps, seconds, perSecond });
    this.told = this.losses.length;
    this.tellAt = now();
  }

  get lookIsDue() {
    const { steps } = this.run;
    return this.lookSteps.has(steps) && this.looks.at(-1)?.step !== steps;
  }

  // The loss on the text kept apart, and what the model writes.
  async look(mine) {
    const began = now();
    const parts = this.run.measuring();
    let part = parts.next();
    for (; !part.done; part = parts.next()) {
      await afterMessages();
      if (!mine()) return;
    }
    const text = writtenSample(this.run.written(), this.read.tokenizer, this.prompt, this.order.sample);
    const { run } = this;
    this.looks.push({ step: run.steps, loss: part.value, text, ...(this.order.inside ? { gradients: run.gradientSizes() } : {}) });
    this.snapshots.take(run.steps, run.model.weights);
    this.keepBest(this.looks.at(-1));
    this.seconds += (now() - began) / 1000;
    this.report();
    this.tell({ look: this.looks.at(-1), best: this.lowest });
  }

  // The start has learned nothing: it is nobody's best.
  keepBest({ step, loss }) {
    if (step && this.looks.every((look) => !look.step || look.step === step || look.loss > loss)) this.best = { step, loss, weights: this.run.model.weights.slice() };
  }

  get lowest() { return this.best && { step: this.best.step, loss: this.best.loss }; }

  // The highest learning rate, from the next step on.
  setRate(rate) {
    this.order.recipe.learning_rate = rate;  // the run's own recipe, which is kept with it
  }

  // By the weights of a step, where they are kept, or as they are now: {step, text}.
  write({ step, prompt, tokens, seed, temperature }) {
    const { run, best, snapshots } = this;
    const then = best && best.step === step ? best.weights : snapshots.weights.get(step);
    const text = writtenSample(run.written(then), this.read.tokenizer, this.idsOf(prompt), { tokens, seed, temperature });
    return { step: then ? step : run.steps, text };
  }

  // What the heads looked at in a text, at a step or the closest that is kept: {step, bytes, maps,
  // left}, the bytes of each token, maps[block][head], and the tokens that were left out.
  attention({ step, text }) {
    const { tokenizer } = this.read;
    const all = [...tokenizer.encode(text)];
    const ids = all.slice(0, this.order.sizes.n_positions);
    if (!ids.length) throw new Error("There is nothing to look at: write a few words");
    const near = this.snapshots.near(step);
    if (!near) throw new Error("No weights are kept yet");
    const maps = attentionOf(this.run.written(near.weights), ids);
    return { step: near.step, bytes: ids.map((id) => tokenizer.tokenBytes(id)), maps, left: all.length - ids.length };
  }

  // The best that it was: {step, files}. Before the first look, as it is.
  get home() {
    const { best, run: { model, steps } } = this;
    const { config, tensors } = model;
    return { step: best?.step ?? steps, files: modelFiles({ config, tensors, weights: best?.weights ?? model.weights }, this.read.tokenizer) };
  }

  get record() {
    const { order, facts, looks, seconds, best, run } = this;
    return { order, facts, losses: facts.losses, looks, seconds, best, state: run.state() };
  }

  // A browser that keeps nothing is told of once, and asked no more.
  async keepState() {
    this.keptAt = now();
    try {
      await keep(this.keepAs, this.record);
      this.tell({ kept: this.run.steps });
    } catch (error) {
      this.keepAs = undefined;
      this.tell({ keepsNothing: error.message, name: error.name });
    }
  }
}

// Of the text that it does not learn from, a line to watch.
function sentenceOf(tokenizer, validation) {
  const lines = tokenizer.decode([...validation.subarray(0, 200)]).split("\n").filter((line) => !line.includes("\uFFFD"));
  const longest = lines.reduce((best, line) => (line.length > best.length ? line : best), "");
  return longest.trim().slice(0, WATCHED).trimEnd();
}

// First weights that are too large: every matrix and table, but not the scales of the norms.
export function widen({ weights, tensors }, spread) {
  for (const { at, size, decays } of tensors) {
    if (!decays) continue;
    for (let i = at; i < at + size; i++) weights[i] *= spread;
  }
}
