// Half of every step's batch, on another core: told the weights and its windows, it answers with
// their loss and gradient. It remembers nothing from one step to the next. No memory is shared, as
// a page may share it only where its server sends headers that most do not.

import { fetchedWasm } from "./room.js";
import { TrainedGPT } from "./trained-gpt.js";

let model;

addEventListener("message", async ({ data: { begin, weights, inputs, targets } }) => {
  try {
    if (begin) {
      model = await TrainedGPT.make(begin.config, begin.sizes, begin.inScript ? undefined : await fetchedWasm());
      postMessage({ ready: true });
      return;
    }
    model.weights.set(weights);
    const loss = model.forward(inputs, targets);
    model.backward(inputs);
    const gradients = weights;  // the same room, for the way back
    gradients.set(model.gradients);
    postMessage({ loss, gradients }, [gradients.buffer]);
  } catch (error) {
    postMessage({ error: error.message });
  }
});
