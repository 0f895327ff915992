// The same GPT in TensorFlow.js, with its Adam and clipping at 1, in a worker of its own. It adds no
// weight decay, and every step reads its loss, as ours does.

/* global tf */
importScripts("/tensorflow/tf.min.js", "/tensorflow-wasm/tf-backend-wasm.min.js");

let [weights, sizes, optimizer, ids, taken] = [];

const linear = (x, name) => {
  const weight = weights[`${name}.weight`];
  const [out, from] = weight.shape;
  const rows = x.reshape([-1, from]).matMul(weight, false, true).add(weights[`${name}.bias`]);
  return rows.reshape([...x.shape.slice(0, -1), out]);
};

function norm(x, name) {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(weights[`${name}.weight`]).add(weights[`${name}.bias`]);
}

const gelu = (x) => x.mul(0.5).mul(x.pow(tf.scalar(3)).mul(0.044715).add(x).mul(Math.sqrt(2 / Math.PI)).tanh().add(1));

function attention(x, name) {
  const { n_head: H, n_embd: C } = sizes.config;
  const [B, T] = x.shape;
  const heads = tf.split(linear(x, `${name}.qkv`), 3, 2).map((part) => part.reshape([B, T, H, C / H]).transpose([0, 2, 1, 3]));
  const [q, k, v] = heads;
  const scores = tf.matMul(q, k, false, true).div(Math.sqrt(C / H)).add(sizes.mask);
  const gathered = tf.matMul(tf.softmax(scores), v).transpose([0, 2, 1, 3]).reshape([B, T, C]);
  return linear(gathered, `${name}.projection`);
}

// The WebAssembly backend has no gradient of a lookup: there a row is picked by a product with ones.
function looked(inputs) {
  const table = weights["token_embedding.weight"];
  if (tf.getBackend() !== "wasm") return tf.gather(table, inputs);
  const [V, C] = table.shape;
  return tf.oneHot(inputs.flatten(), V).toFloat().matMul(table).reshape([...inputs.shape, C]);
}

function lossOf(inputs, targets) {
  const { n_layer: L, vocab_size: V } = sizes.config;
  let x = looked(inputs).add(weights["position_embedding.weight"]);
  for (let i = 0; i < L; i++) {
    x = x.add(attention(norm(x, `blocks.${i}.norm_1`), `blocks.${i}.attention`));
    x = x.add(linear(gelu(linear(norm(x, `blocks.${i}.norm_2`), `blocks.${i}.mlp.up`)), `blocks.${i}.mlp.down`));
  }
  const scores = norm(x, "final_norm").reshape([-1, x.shape[2]]).matMul(weights["token_embedding.weight"], false, true);
  return tf.oneHot(targets.flatten(), V).toFloat().mul(tf.logSoftmax(scores)).sum(-1).mean().neg();
}

function clipped(gradients) {
  const length = tf.addN(Object.values(gradients).map((one) => one.square().sum())).sqrt();
  const scale = tf.minimum(1, tf.div(1, length.add(1e-6)));
  return Object.fromEntries(Object.entries(gradients).map(([name, one]) => [name, one.mul(scale)]));
}

function batch() {
  const { config: { n_positions: T }, recipe: { batch_size: B } } = sizes;
  const starts = Array.from({ length: B }, (_, i) => ((taken * B + i) * 7919 * T) % (ids.length - T - 1));
  const take = (shift) => tf.tensor2d(starts.map((at) => ids.slice(at + shift, at + shift + T)), [B, T], "int32");
  return [take(0), take(1)];
}

const methods = {
  async start({ backend, config, recipe, training, first }) {
    tf.wasm.setWasmPaths("/tensorflow-wasm/");
    await tf.setBackend(backend);
    const T = config.n_positions;
    const mask = tf.tensor2d(Array.from({ length: T }, (_, i) => Array.from({ length: T }, (_, j) => (j > i ? -1e9 : 0))));
    [sizes, ids, taken] = [{ config, recipe, mask }, training, 0];
    weights = Object.fromEntries(Object.entries(first).map(([name, { shape, numbers }]) => [name, tf.variable(tf.tensor(numbers, shape), true, name)]));
    optimizer = tf.train.adam(recipe.learning_rate, recipe.beta_1, recipe.beta_2);
    return { backend: tf.getBackend(), version: tf.version.tfjs };
  },
  loss: ({ inputs, targets }) => tf.tidy(() => lossOf(tf.tensor2d(inputs, undefined, "int32"), tf.tensor2d(targets, undefined, "int32")).dataSync()[0]),
  steps(count) {
    let loss;
    for (let i = 0; i < count; i++) {
      loss = tf.tidy(() => {
        const [inputs, targets] = batch();
        const { value, grads } = tf.variableGrads(() => lossOf(inputs, targets));
        optimizer.applyGradients(clipped(grads));
        return value.dataSync()[0];
      });
      taken += 1;
    }
    return loss;
  },
};

addEventListener("message", async ({ data: [method, given] }) => {
  try {
    postMessage({ result: await methods[method](given) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
