// A run, as in minigpt/training/trainer.py: what a step does follows from the weights, AdamW's
// averages, the recipe and the step's number, and from nothing else. So a run that is given
// another's `state` goes on as that one would have, to the bit.

import { GPT } from "../gpt.js";
import { randomNumbers } from "../sampling.js";
import { AdamW, clip } from "./adamw.js";
import { Descent } from "./descent.js";
import { TrainedGPT } from "./trained-gpt.js";
import { Windows } from "./windows.js";

const MEASURED = 20;  // batches of the validation text, at most

export class TrainingRun {
  // config: sizes, as gptConfig gives them. recipe: as minigpt/training/recipe.py, or with the
  // optimizer "descent", which no one should train by but to see what AdamW is for. text:
  // {training, validation}, ids. wasm: as fetchedWasm gives it, or nothing.
  static async make({ config, recipe, text, wasm }) {
    const sizes = { batch: recipe.batch_size, length: config.n_positions };
    return new TrainingRun(await TrainedGPT.make(config, sizes, wasm), recipe, text);
  }

  constructor(model, recipe, { training, validation }) {
    Object.assign(this, { model, recipe, steps: 0 });
    this.windows = new Windows(training, model.length, recipe.seed);
    this.validation = validation;
    start(model, recipe.seed);
    const { weights, gradients, tensors, means, squares } = model;
    this.optimizer = recipe.optimizer === "descent"
      ? new Descent(weights, gradients) : new AdamW(weights, gradients, tensors, recipe, means, squares);
  }

  // Returns {step, loss, rate, norm}: its number, from 1; nats per token; how long the gradient was.
  step() {
    const { model, recipe, windows } = this;
    const { inputs, targets } = windows.batch(this.steps, recipe.batch_size);
    const loss = model.forward(inputs, targets);
    model.backward(inputs);
    return this.move(loss);
  }

  // The same with a second core (second-core.js), which takes half of the windows. The sums are
  // added up in another order, so that the last digits differ from `step`'s. Where the other fails,
  // nothing has moved.
  async stepWith(second) {
    const { model, recipe, windows } = this;
    const { inputs, targets } = windows.batch(this.steps, recipe.batch_size);
    const cut = Math.ceil(recipe.batch_size / 2) * model.length;
    const theirs = second.gradientOf(model.weights, inputs.slice(cut), targets.slice(cut));
    theirs.catch(() => {});  // told of below, where it is waited for
    const loss = model.forward(inputs.subarray(0, cut), targets.subarray(0, cut));
    model.backward(inputs.subarray(0, cut));
    const other = await theirs;
    const part = cut / inputs.length;
    for (let i = 0; i < model.count; i++) model.gradients[i] = part * model.gradients[i] + (1 - part) * other.gradients[i];
    return this.move(part * loss + (1 - part) * other.loss);
  }

  // Along the gradient that the model has.
  move(loss) {
    const { model, recipe } = this;
    if (!Number.isFinite(loss)) throw new Error(`the loss is no number any more after ${this.steps} steps: the learning rate, ${recipe.learning_rate}, is too high`);
    const norm = clip(model.gradients, recipe.clip);
    const rate = recipe.learning_rate * share(this.steps, recipe);
    this.optimizer.step(rate);
    this.steps += 1;
    return { step: this.steps, loss, rate, norm };
  }

  // The loss on the beginning of the text that it does not learn from, in nats per token.
  measure() {
    const parts = this.measuring();
    for (;;) {
      const { done, value } = parts.next();
      if (done) return value;
    }
  }

  // The same, a batch at a time, for those who answer between two.
  *measuring() {
    const { model, validation, recipe: { batch_size: B } } = this;
    const T = model.length;
    const windows = Math.min(Math.floor((validation.length - 1) / T), MEASURED * B);
    let [total, count] = [0, 0];
    for (let first = 0; first < windows; first += B) {
      const size = Math.min(B, windows - first) * T;
      total += size * model.forward(validation.subarray(first * T, first * T + size), validation.subarray(first * T + 1, first * T + size + 1));
      count += size;
      yield;
    }
    return total / count;
  }

  // How large the next step's gradient is, as the root of the mean of its squares: {tables, blocks},
  // of both tables, and of each block's matrices.
  gradientSizes() {
    const { model, recipe, windows } = this;
    const { inputs, targets } = windows.batch(this.steps, recipe.batch_size);
    model.forward(inputs, targets);
    model.backward(inputs);
    const of = (belongs) => rootMeanSquare(model.gradients, model.tensors.filter(({ name, decays }) => decays && belongs(name)));
    return {
      tables: of((name) => name.endsWith("embedding.weight")),
      blocks: Array.from({ length: model.config.n_layer }, (_, i) => of((name) => name.startsWith(`blocks.${i}.`))),
    };
  }

  // A model that writes, of the weights as they are now, or were (gpt.js).
  written(weights = this.model.weights) {
    const { tensors, config } = this.model;
    return new GPT(config, Object.fromEntries(tensors.map(({ name, shape, at, size }) =>
      [name, { name, shape, data: weights.slice(at, at + size) }])));
  }

  // All that a run needs to go on, in arrays of its own.
  state() {
    const { weights, means, squares } = this.model;
    return { steps: this.steps, weights: weights.slice(), means: means.slice(), squares: squares.slice() };
  }

  goOn({ steps, weights, means, squares }) {
    const { model } = this;
    if (weights.length !== model.count) throw new Error(`this run has ${model.count} numbers, and what was kept ${weights.length}: it is of another size`);
    model.weights.set(weights);
    model.means.set(means);
    model.squares.set(squares);
    this.steps = this.optimizer.steps = steps;
  }
}

function rootMeanSquare(numbers, tensors) {
  let [sum, count] = [0, 0];
  for (const { at, size } of tensors) {
    for (let i = at; i < at + size; i++) sum += numbers[i] ** 2;
    count += size;
  }
  return Math.sqrt(sum / count);
}

// As minigpt/model/gpt.py: matrices and tables from N(0, 0.02²), what ends a branch smaller.
function start({ weights, tensors, config: { n_layer: L } }, seed) {
  const chance = randomNumbers(seed);
  for (const { name, at, size, decays } of tensors) {
    if (!decays) {
      weights.fill(name.endsWith("weight") ? 1 : 0, at, at + size);  // norms, and biases
      continue;
    }
    const width = /projection|down/.test(name) ? 0.02 / Math.sqrt(2 * L) : 0.02;
    for (let i = at; i < at + size; i++) {  // Box and Muller (1958)
      weights[i] = width * Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
    }
  }
}

// minigpt/training/schedule.py: up in a line, then down along half a cosine.
export function share(step, { steps, warmup, final }) {
  if (step < warmup) return (step + 1) / warmup;
  const way = (step - warmup) / (steps - warmup);
  return final + (1 - final) * (1 + Math.cos(Math.PI * Math.min(1, way))) / 2;
}
