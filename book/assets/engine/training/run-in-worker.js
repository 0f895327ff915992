// A run in a worker of its own (training-worker.js): what the page's elements train by.

import { AskedWorker } from "../asked-worker.js";
import { NetworkError } from "../fetched.js";
import { gptCosts } from "../gpt-config.js";
import { numbersOf, trainedConfig } from "./trained-gpt.js";

// Of a worker that does not start a browser tells no more than that. Its modules tell the page.
async function whyNotStarted() {
  try {
    await Promise.all([import("./training-job.js"), import("./kept-run.js")]);
  } catch (error) {
    if (error.name !== "TypeError") return error;  // that of a module which did not come
  }
  return new NetworkError("the script that trains did not load");
}

export class RunInWorker extends AskedWorker {
  // wish: as training-worker.js takes it. hear: told the news. Resolves to the run, with its facts.
  static async start(wish, hear) {
    const run = new RunInWorker(new Worker(new URL("training-worker.js", import.meta.url), { type: "module" }), whyNotStarted);
    try {
      run.facts = await run.ask("start", [wish]);
    } catch (error) {
      run.close();
      throw error;
    }
    run.hear = hear;
    return run;
  }

  // Whoever listens is told of a worker that broke.
  breakWith(error) {
    super.breakWith(error);
    this.hear?.({ failed: error.message, name: error.name });
  }

  close() {
    this.hear = undefined;
    super.close();
  }

  // Until a step, or to its end. What it does is news.
  go(until) { return this.ask("go", [until]); }

  // Resolves when it stands, and is kept.
  pause() { return this.ask("pause", []); }

  // The highest learning rate, from the next step on.
  setRate(rate) { return this.ask("setRate", [rate]); }

  // {prompt, tokens, seed, temperature}: resolves to a text.
  write(wish) { return this.ask("write", [wish]); }

  // Resolves to the model as a folder, {name: Uint8Array}.
  files() { return this.ask("files", []); }

  // Resolves to all that a run needs to go on.
  state() { return this.ask("state", []); }

  // Of this run nothing is kept any more.
  forget() { return this.ask("forget", []); }
}

// What such a run will have: numbers that it learns, and bytes that it works in.
export function sizeOfRun(sizes, vocab_size, batch) {
  const config = trainedConfig(vocab_size, sizes);
  return { numbers: gptCosts(config).numbers, bytes: 4 * numbersOf(config, batch, sizes.n_positions) };
}
