// ONNX Runtime Web, with keys and values of the tokens so far, in the graph of onnx_step.py.

import * as ort from "/onnxruntime-web/ort.wasm.min.mjs";

let session;
let empty;  // keys and values of no token
let past;
let length = 0;

async function load({ threads, config }) {
  ort.env.wasm.wasmPaths = "/onnxruntime-web/";
  ort.env.wasm.numThreads = threads;
  session = await ort.InferenceSession.create("/graph/model.onnx", {
    executionProviders: ["wasm"], graphOptimizationLevel: "all",
  });
  const { n_layer, n_head, n_embd } = config;
  past = empty = Array.from({ length: 2 * n_layer }, () => new ort.Tensor("float32", [], [1, n_head, 0, n_embd / n_head]));
}

async function read(ids) {
  if (ids.length !== length + 1) [past, length] = [empty, 0];
  for (const id of ids.slice(length)) {
    const feeds = { ids: new ort.Tensor("int64", [BigInt(id)], [1, 1]) };
    past.forEach((tensor, i) => { feeds[`past${i}`] = tensor; });
    const told = await session.run(feeds);
    past = past.map((_, i) => told[`present${i}`]);
    length += 1;
    if (length === ids.length) return told.scores.data;
  }
}

addEventListener("message", async ({ data }) => {
  try {
    postMessage({ result: await (data.ids ? read(data.ids) : load(data)) });
  } catch (error) {
    postMessage({ error: error.message });
  }
});
