// The book's own model in the page: `minigpt.load("shakespeare")`, in a worker, from the very
// files of the package. One for all elements of a page.

import { fetchedJson, NetworkError } from "./fetched.js";
import { fromTokenizerJson } from "./tokenizer-json.js";

const FOLDER = new URL("../models/shakespeare/", import.meta.url);
const WEIGHTS = "int8.safetensors";

let loading;
const listeners = new Set();

// Fetch it, once, however many elements ask. Resolves to a ShippedModel. `report` is told
// {loaded, total} in bytes; `total` is undefined where it is not known.
export function loadShippedModel(report) {
  if (report) listeners.add(report);
  loading ??= ShippedModel.load((progress) => { for (const listener of listeners) listener(progress); });
  const attempt = loading;
  const forget = () => { if (loading === attempt) loading = undefined; };  // the next one asks again
  attempt.catch(forget).finally(() => listeners.delete(report));
  return attempt;
}

// Of a worker that does not start a browser tells no more than that. Its modules tell the page.
async function whyNotStarted() {
  try {
    await Promise.all([import("./gpt.js"), import("./gpt-reader.js"), import("./gpt-trace.js"), import("./safetensors.js"), import("./unit-tokens.js")]);
  } catch (error) {
    if (error.name !== "TypeError") return error;  // that of a module which did not come
  }
  return new NetworkError("the model's script did not load");
}

class ShippedModel {
  static async load(report) {
    const worker = new Worker(new URL("gpt-worker.js", import.meta.url), { type: "module" });
    const model = new ShippedModel(worker);
    try {
      const [config, tokenizer] = await Promise.all([
        model.ask("load", [{ folder: FOLDER.href, weights: WEIGHTS }], report),
        fetchedJson(new URL("tokenizer.json", FOLDER)).then(fromTokenizerJson),
      ]);
      return Object.assign(model, { config, tokenizer });
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  constructor(worker) {
    this.worker = worker;
    this.waiting = new Map();
    this.asked = 0;
    worker.addEventListener("message", ({ data: { number, progress, result, error, name } }) => {
      const { resolve, reject, report } = this.waiting.get(number) ?? {};
      if (!resolve) return;  // the worker broke meanwhile
      if (progress) {
        report?.(progress);
        return;
      }
      this.waiting.delete(number);
      if (error === undefined) resolve(result);
      else reject(Object.assign(new Error(error), { name }));
    });
    worker.addEventListener("error", async (event) => {
      event.preventDefault();
      this.broken = event.message
        ? Object.assign(new Error(event.message), { name: "UncaughtError" })
        : await whyNotStarted();
      for (const { reject } of this.waiting.values()) reject(this.broken);
      this.waiting.clear();
    });
  }

  ask(method, args, report) {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      const number = ++this.asked;
      this.waiting.set(number, { resolve, reject, report });
      this.worker.postMessage({ number, method, args });
    });
  }

  // What comes after these tokens: resolves to a Float32Array, a score for each token.
  scores(ids) {
    return this.ask("scores", [ids]);
  }

  // Resolves to what gpt-trace.js tells of these tokens.
  trace(ids) {
    return this.ask("trace", [ids]);
  }

  // Resolves to the tokens that each of these hidden units of a block's MLP speaks for, as ids.
  unitTokens(layer, units) {
    return this.ask("unitTokens", [layer, units]);
  }
}
