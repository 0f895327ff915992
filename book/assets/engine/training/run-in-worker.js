// A run in a worker of its own (training-worker.js): what the page's elements train by.

import { AskedWorker } from "../asked-worker.js";
import { NetworkError } from "../fetched.js";
import { gptCosts } from "../gpt-config.js";
import { windowsOfSecond } from "./second-core.js";
import { snapshotSteps } from "./snapshots.js";
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
  static silence = 20_000;  // milliseconds without news after which a worker that goes is asked

  // wish: as training-worker.js takes it. hear: told the news. Resolves to the run, with its facts.
  static async start(wish, hear) {
    const run = new RunInWorker(new Worker(new URL("training-worker.js", import.meta.url), { type: "module" }), whyNotStarted);
    try {
      run.facts = await run.ask("start", [wish]);
    } catch (error) {
      run.close();
      throw error;
    }
    run.listen(hear);
    return run;
  }

  listen(hear) {
    this.hear = (news) => {
      this.heardAt = Date.now();
      if ("stopped" in news || "failed" in news) clearInterval(this.watch);
      hear(news);
    };
  }

  // Whoever listens is told of a worker that broke.
  breakWith(error) {
    super.breakWith(error);
    this.hear?.({ failed: error.message, name: error.name, broke: true });
  }

  close() {
    this.hear = undefined;
    clearInterval(this.watch);
    super.close();
  }

  // Until a step, or to its end. What it does is news.
  go(until) {
    this.heardAt = Date.now();
    clearInterval(this.watch);
    this.watch = setInterval(() => this.lookAfter(), RunInWorker.silence / 2);
    return this.ask("go", [until]);
  }

  // Some browsers end a worker, for its memory, and tell nobody: then it answers no more.
  async lookAfter() {
    if (Date.now() - this.heardAt < RunInWorker.silence || this.asking) return;
    this.asking = true;
    const late = new Promise((resolve) => setTimeout(resolve, RunInWorker.silence, "late"));
    const answer = await Promise.race([this.ask("answer", []).catch(() => {}), late]);
    this.asking = false;
    if (answer !== "late" || !this.hear) return;
    this.worker.terminate();
    this.breakWith(new Error("the trainer does not answer any more: the browser may have ended it"));
  }

  // Resolves when it stands, and is kept.
  pause() { return this.ask("pause", []); }

  // The highest learning rate, from the next step on.
  setRate(rate) { return this.ask("setRate", [rate]); }

  // {step, prompt, tokens, seed, temperature}: resolves to {step, text} (training-job.js).
  write(wish) { return this.ask("write", [wish]); }

  // {step, text}: resolves to what the heads looked at (training-job.js).
  attention(wish) { return this.ask("attention", [wish]); }

  // Resolves to {step, files}: the model at its best as a folder, {name: Uint8Array}.
  home() { return this.ask("home", []); }

  // Resolves to all that a run needs to go on.
  state() { return this.ask("state", []); }

  // Of this run nothing is kept any more.
  forget() { return this.ask("forget", []); }
}

// What such a run will have: numbers that it learns, bytes that it works in, its best weights among
// them, and bytes of its snapshots. wish: as `snapshotSteps` takes it.
export function sizeOfRun(sizes, vocab_size, batch, wish) {
  const config = trainedConfig(vocab_size, sizes);
  const { numbers } = gptCosts(config);
  const length = sizes.n_positions;
  const half = windowsOfSecond(numbers, batch, length);
  return { numbers, bytes: 4 * (numbersOf(config, batch, length) + numbers + (half && numbersOf(config, half, length))), snapshots: snapshotSteps(wish, numbers) };
}
