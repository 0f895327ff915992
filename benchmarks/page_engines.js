// What benchmarks/page.py measures. An engine has scores(ids), for the scores after a text that
// is one token longer than the last one; each computes in a worker of its own.

import { loadShippedModel } from "/assets/engine/shipped-model.js";

const engines = {
  ours: () => loadShippedModel(),

  async onnxruntime(threads) {
    const worker = new Worker("/benchmarks/onnxruntime_worker.js", { type: "module" });
    const ask = (message) => new Promise((resolve, reject) => {
      worker.onmessage = ({ data: { result, error } }) => (error ? reject(new Error(error)) : resolve(result));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
    });
    const config = await (await fetch("/assets/models/shakespeare/config.json")).json();
    await ask({ threads, config });
    return { scores: (ids) => ask({ ids }) };
  },
};

const best = (scores) => scores.reduce((at, score, id) => (score > scores[at] ? id : at), 0);

let engine;
let scores;

// Milliseconds until the first scores are there.
export async function start(name, threads) {
  const before = performance.now();
  engine = await engines[name](threads);
  await engine.scores([0]);
  return performance.now() - before;
}

// One token and `count` more, each the one with the best score.
export async function generate(count) {
  const ids = [0];
  for (let i = 0; i < count; i++) {
    scores = await engine.scores([...ids]);
    ids.push(best(scores));
  }
  return ids;
}

// The last scores that `generate` was given.
export const last = () => [...scores];
