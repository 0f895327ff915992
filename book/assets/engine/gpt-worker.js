// The model, away from the page, so that the page never stops while it computes. The page sends
// {number, method, args} and gets {number, result} or {number, error, name}, in the order asked;
// while the weights come it also gets {number, progress}.

import { fetched, fetchedJson, onTheWay } from "./fetched.js";
import { GPTReader } from "./gpt-reader.js";
import { trace } from "./gpt-trace.js";
import { GPT } from "./gpt.js";
import { readSafetensors } from "./safetensors.js";
import { unitTokens } from "./unit-tokens.js";

let model;
let reader;

const methods = {
  // folder: the address of a config.json and its weights. Returns the config.
  async load({ folder, weights }, report) {
    const config = await fetchedJson(new URL("config.json", folder));
    const response = await fetched(new URL(weights, folder));
    const bytes = await onTheWay(response.url, () => download(response, report));
    model = new GPT(config, readSafetensors(bytes));
    reader = new GPTReader(model);
    return config;
  },

  // The scores after a text, V numbers; of a text that begins like the last one, only what is
  // new is read.
  scores(ids) {
    return reader.scores(ids);
  },

  trace(ids) {
    reader = new GPTReader(model);  // what the other one had read is overwritten
    return trace(model, ids);
  },

  unitTokens(layer, units) {
    return units.map((unit) => unitTokens(model, layer, unit));
  },
};

// The bytes of an answer. How many there will be is not known of one that travels compressed.
async function download(response, report) {
  const total = response.headers.has("Content-Encoding") ? undefined : Number(response.headers.get("Content-Length")) || undefined;
  const parts = [];
  let loaded = 0;
  const stream = response.body.getReader();
  for (let part = await stream.read(); !part.done; part = await stream.read()) {
    parts.push(part.value);
    loaded += part.value.length;
    report({ loaded, total });
  }
  return new Blob(parts).arrayBuffer();
}

let last = Promise.resolve();  // one after the other: they share the model's cache

addEventListener("message", ({ data: { number, method, args } }) => {
  last = last.then(async () => {
    try {
      postMessage({ number, result: await methods[method](...args, (progress) => postMessage({ number, progress })) });
    } catch (error) {
      postMessage({ number, error: error.message, name: error.name });
    }
  });
});
