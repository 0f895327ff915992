// The site's own trainer, in a worker as on the page, taken some steps at a time.

import { fetchedWasm } from "/assets/engine/training/room.js";
import { TrainingRun } from "/assets/engine/training/training-run.js";

let run;

const methods = {
  // script: leave out WebAssembly. Returns the first weights, {name: {shape, numbers}}.
  async start({ config, recipe, training, validation, script }) {
    const wasm = script ? undefined : await fetchedWasm();
    const text = { training: Int32Array.from(training), validation: Int32Array.from(validation) };
    run = await TrainingRun.make({ config, recipe, text, wasm });
    const { tensors, weights } = run.model;
    return Object.fromEntries(tensors.map(({ name, shape, at, size }) => [name, { shape, numbers: [...weights.subarray(at, at + size)] }]));
  },
  // The loss of the last of `count` steps.
  steps(count) {
    let loss;
    for (let i = 0; i < count; i++) ({ loss } = run.step());
    return loss;
  },
  measure: () => run.measure(),
};

addEventListener("message", async ({ data: [method, given] }) => {
  try {
    postMessage({ result: await methods[method](given) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
