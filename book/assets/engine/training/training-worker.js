// A run of training, away from the page, so that the page never stops while it computes. Besides
// the answers of asked-worker.js it sends {news}: losses, looks, what was kept, where it stopped.

import { forget, kept } from "./kept-run.js";
import { fetchedWasm } from "./room.js";
import { TrainingJob } from "./training-job.js";

let job;
let name;  // that the run is kept under

const methods = {
  // order: as TrainingJob takes it, or nothing, for the run that is kept. inScript: leave out
  // WebAssembly. Resolves to the facts; of a kept run with its order.
  async start({ order, keepAs, inScript }) {
    name = keepAs;
    const before = order ? undefined : await kept(keepAs);
    if (!order && !before) throw new Error("no run is kept here any more: begin a new one");
    const wasm = inScript ? undefined : await fetchedWasm();
    job = await TrainingJob.begin(order ?? before.order, { wasm, keepAs, before, tell: (news) => postMessage({ news }) });
    return order ? job.facts : { ...job.facts, order: before.order };
  },
  answer() {},
  // Told that it goes; that it has stopped is news.
  go(until) { job.go(until); },
  pause() { return job.stop(); },
  setRate(rate) { job.setRate(rate); },
  write(wish) { return job.write(wish); },
  attention(wish) { return job.attention(wish); },
  home() { return job.home; },
  state() { return job.run.state(); },
  // Of this run nothing is kept from now on.
  async forget() {
    job.keepAs = undefined;
    if (name) await forget(name);
  },
};

addEventListener("message", async ({ data: { number, method, args } }) => {
  try {
    postMessage({ number, result: await methods[method](...args) });
  } catch (error) {
    postMessage({ number, error: error.message, name: error.name });
  }
});
