// The model, away from the page, so that the page never stops while it computes. The page sends
// {number, method, args} and gets {number, result} or {number, error, name}, in the order asked;
// while the weights come it also gets {number, progress}.

import { fetched, fetchedBytes, fetchedJson, onTheWay } from "./fetched.js";
import { GPTReader } from "./gpt-reader.js";
import { trace } from "./gpt-trace.js";
import { GPTWithAdapter } from "./gpt-with-adapter.js";
import { gpt2Tensors } from "./gpt2-tensors.js";
import { readAdapter } from "./lora-adapter.js";
import { metadataOf, readSafetensors } from "./safetensors.js";
import { unitTokens } from "./unit-tokens.js";
import { fetchedProduct } from "./vector-product.js";

let model;
let reader;
const adapters = new Map();  // by name: what the model takes

const methods = {
  // folder: the address of a config.json and its weights. Returns the config.
  async load([{ folder, weights }], report) {
    const config = await fetchedJson(new URL("config.json", folder));
    const [response, wasm] = await Promise.all([fetched(new URL(weights, folder)), fetchedProduct()]);
    const bytes = await onTheWay(response.url, () => download(response, report));
    model = new GPTWithAdapter(config, readSafetensors(bytes), wasm);
    reader = new GPTReader(model);
    return config;
  },

  // config: as gptConfig gives it. files: the File of the weights, or of each of their parts.
  // tokens: how many the tokenizer has; what has no text, as where a vocabulary was rounded up to
  // a multiple of 64, gets no score.
  async open([{ config, files, tokens }], report) {
    const wasm = await fetchedProduct();
    const stored = {};
    for (const file of files) {
      inFile(file.name, () => {
        const source = onDisk(file);
        checkHeads(config, metadataOf(source));
        Object.assign(stored, readSafetensors(source));
      });
    }
    inFile(files.map(({ name }) => name).join(", "), () => {
      model = new GPTWithAdapter(config, watched(gpt2Tensors(config, stored), report), wasm);
    });
    model.head = { ...model.head, rows: Math.min(model.head.rows, tokens) };
    reader = new GPTReader(model);
  },

  // folder: the address of an adapter of this model, in peft's form. Returns how many numbers it has.
  async loadAdapter([{ folder, name }]) {
    const [settings, bytes] = await Promise.all([
      fetchedJson(new URL("adapter_config.json", folder)), fetchedBytes(new URL("adapter_model.safetensors", folder)),
    ]);
    const adapter = inFile("the adapter", () => readAdapter(model.config, settings, readSafetensors(bytes)));
    adapters.set(name, model.prepared(adapter));
    return Object.values(adapter.layers).reduce((sum, { A, B }) => sum + A.length + B.length, 0);
  },

  // The scores after a text, V numbers; of a text that begins like the last one, only what is
  // new is read. adapter: the name of the one that is on, or nothing.
  scores([ids, adapter]) {
    putOn(adapter);
    return reader.scores(ids);
  },

  trace([ids, adapter]) {
    putOn(adapter);
    reader = new GPTReader(model);  // what the other one had read is overwritten
    return trace(model, ids);
  },

  unitTokens([layer, units, adapter]) {
    putOn(adapter);
    return units.map((unit) => unitTokens(model, layer, unit));
  },
};

// A wish names its adapter, as elements of a page that share the model need not agree. What was
// read with another is read anew.
function putOn(name) {
  if (name !== undefined && !adapters.has(name)) throw new Error(`there is no adapter ${name} on this model: load it first`);
  if (adapters.get(name) === model.adapter) return;
  model.use(adapters.get(name));
  reader = new GPTReader(model);
}

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

function inFile(name, read) {
  try {
    return read();
  } catch (error) {
    throw Object.assign(new Error(`${name}: ${error.message}`), { name: error.name });
  }
}

// A file as readSafetensors reads it: a part comes from the disk when it is asked for.
function onDisk(file) {
  const reading = new FileReaderSync();
  return { byteLength: file.size, slice: (start, end) => reading.readAsArrayBuffer(file.slice(start, end)) };
}

// No shape shows the number of heads, by which the same matrices are cut.
function checkHeads({ n_head }, { n_head: saved = n_head }) {
  if (String(saved) !== String(n_head)) throw new Error(`n_head is ${n_head} in config.json, and these weights were saved with ${saved}: set it back there`);
}

// The same tensors; `report` is told how many have been read.
function watched(tensors, report) {
  const total = Object.keys(tensors).length;
  let loaded = 0;
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, {
    name: tensor.name, shape: tensor.shape,
    get data() {
      report({ loaded: ++loaded, total });
      return tensor.data;
    },
  }]));
}

let last = Promise.resolve();  // one after the other: they share the model's cache

addEventListener("message", ({ data: { number, method, args } }) => {
  last = last.then(async () => {
    try {
      postMessage({ number, result: await methods[method](args, (progress) => postMessage({ number, progress })) });
    } catch (error) {
      postMessage({ number, error: error.message, name: error.name });
    }
  });
});
