// The book's own model in the page: `minigpt.load("shakespeare")`, in a worker, from the very
// files of the package. One for all elements of a page.

import { fetchedJson } from "./fetched.js";
import { ModelInWorker } from "./model-in-worker.js";
import { fromTokenizerJson } from "./tokenizer-json.js";

const FOLDER = new URL("../models/shakespeare/", import.meta.url);
const WEIGHTS = "int8.safetensors";

let loading;
const listeners = new Set();

// Fetch it, once, however many elements ask. Resolves to a ModelInWorker. `report` is told
// {loaded, total} in bytes; `total` is undefined where it is not known.
export function loadShippedModel(report) {
  if (report) listeners.add(report);
  loading ??= start((progress) => { for (const listener of listeners) listener(progress); });
  const attempt = loading;
  const forget = () => { if (loading === attempt) loading = undefined; };  // the next one asks again
  attempt.catch(forget).finally(() => listeners.delete(report));
  return attempt;
}

const start = (report) => ModelInWorker.start(async (worker) => {
  const [config, tokenizer] = await Promise.all([
    worker.ask("load", [{ folder: FOLDER.href, weights: WEIGHTS }], report),
    fetchedJson(new URL("tokenizer.json", FOLDER)).then(fromTokenizerJson),
  ]);
  return { config, tokenizer };
});
