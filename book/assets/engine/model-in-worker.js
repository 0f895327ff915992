// A model in a worker of its own (gpt-worker.js), asked by messages: what the page's elements use.

import { AskedWorker } from "./asked-worker.js";
import { NetworkError } from "./fetched.js";

// Of a worker that does not start a browser tells no more than that. Its modules tell the page.
async function whyNotStarted() {
  try {
    await Promise.all([
      import("./gpt-with-adapter.js"), import("./gpt2-tensors.js"), import("./gpt-reader.js"), import("./gpt-trace.js"),
      import("./lora-adapter.js"), import("./safetensors.js"), import("./unit-tokens.js"),
    ]);
  } catch (error) {
    if (error.name !== "TypeError") return error;  // that of a module which did not come
  }
  return new NetworkError("the model's script did not load");
}

export class ModelInWorker extends AskedWorker {
  // begin: told {ask}, the new worker's; resolves to the model's {config, tokenizer, …}.
  static async start(begin) {
    const model = new ModelInWorker(new Worker(new URL("gpt-worker.js", import.meta.url), { type: "module" }), whyNotStarted);
    try {
      return Object.assign(model, await begin(model));
    } catch (error) {
      model.close();
      throw error;
    }
  }

  // folder: the address of an adapter in peft's form. Resolves to how many numbers it has.
  loadAdapter(folder, name) {
    return this.ask("loadAdapter", [{ folder, name }]);
  }

  // The same model with an adapter on, by the name that it was loaded by. The two share the worker
  // and its weights, and either can be asked at any time; `close` leaves them to the other.
  withAdapter(name) {
    const { config, tokenizer } = this;
    const asks = ["scores", "trace", "unitTokens"].map((method) => [method, (...args) => this.ask(method, [...args, name])]);
    return { config, tokenizer, ...Object.fromEntries(asks), close() {} };
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
