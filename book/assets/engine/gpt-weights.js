// The weights of a GPT by our names, whichever of the package's files they come from: one with
// our names, where a matrix may be whole numbers times a scale a row (minigpt/exchange/int8_file.py), or
// one with GPT-2's (minigpt/exchange/gpt2_format.py).

import { checkConfig } from "./gpt-config.js";

const GPT2_NAMES = [
  ["token_embedding", "transformer.wte"],
  ["position_embedding", "transformer.wpe"],
  ["blocks", "transformer.h"],
  ["norm_1", "ln_1"],
  ["attention.qkv", "attn.c_attn"],
  ["attention.projection", "attn.c_proj"],
  ["norm_2", "ln_2"],
  ["mlp.up", "mlp.c_fc"],
  ["mlp.down", "mlp.c_proj"],
  ["final_norm", "transformer.ln_f"],
];
const TRANSPOSED = /\.(c_attn|c_proj|c_fc)\.weight$/;  // GPT-2 stores these as (in, out)

// Returns a function that takes a name and gives a Float32Array, row after row, or undefined
// for a bias where the model has none.
export function gptWeights(config, tensors) {
  checkConfig(config);
  const { vocab_size: V, n_positions: T, n_embd: C, bias = true, tie_word_embeddings: tied = true } = config;
  const shapes = {
    "token_embedding.weight": [V, C], "position_embedding.weight": [T, C], "lm_head.weight": [V, C],
    "qkv.weight": [3 * C, C], "qkv.bias": [3 * C], "projection.weight": [C, C],
    "up.weight": [4 * C, C], "up.bias": [4 * C], "down.weight": [C, 4 * C],
  };
  const shapeOf = (name) => shapes[name.split(".").slice(-2).join(".")] ?? [C];
  return (name) => {
    if (name.endsWith(".bias") && !bias) return undefined;
    if (name === "lm_head.weight" && tied) name = "token_embedding.weight";
    const theirs = GPT2_NAMES.reduce((whole, [ours, gpt2]) => whole.replace(ours, gpt2), name);
    const found = tensors[name] ? name : theirs;
    const tensor = tensors[found];
    const transposed = found === theirs && TRANSPOSED.test(theirs);
    const shape = transposed ? [...shapeOf(name)].reverse() : shapeOf(name);
    if (String(tensor?.shape) !== String(shape)) {
      throw new Error(`${name} should have the shape [${shape}], not [${tensor?.shape ?? ""}]: are these the weights of another model?`);
    }
    const scale = tensors[`${name}.scale`];
    if (!scale && !(tensor.data instanceof Float32Array)) {
      throw new Error(`${name} holds whole numbers and has no scale: is the file whole?`);
    }
    const numbers = scale ? scaled(name, tensor, scale) : tensor.data;
    if (!numbers.every(Number.isFinite)) throw new Error(`${name} holds numbers that are not finite: was the training unstable?`);
    return transposed ? transpose(numbers, shape) : numbers;
  };
}

// Row i times scale i.
function scaled(name, { shape: [rows, width], data }, scale) {
  if (scale.data.length !== rows) {
    throw new Error(`${name} has ${scale.data.length} scales for its ${rows} rows: are these the weights of another model?`);
  }
  return new Float32Array(data).map((value, i) => value * scale.data[Math.floor(i / width)]);
}

function transpose(numbers, [rows, columns]) {
  return numbers.map((_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]);
}
