// The weights of a GPT by our names, whichever of the package's files they come from: one with
// our names, where a matrix may be whole numbers times a scale a row (minigpt/exchange/int8_file.py), or
// one with GPT-2's (minigpt/exchange/gpt2_format.py).

import { gptConfig, gptShapes } from "./gpt-config.js";

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
export const TRANSPOSED = /\.(c_attn|c_proj|c_fc)\.weight$/;  // GPT-2 stores these as (in, out)

export const gpt2Name = (name) => GPT2_NAMES.reduce((whole, [ours, theirs]) => whole.replace(ours, theirs), name);

// Returns a function that takes a name and gives a Float32Array, row after row, or undefined
// where the model has no such tensor.
export function gptWeights(settings, tensors) {
  const { ends, block } = gptShapes(gptConfig(settings));
  return (name) => {
    const ours = ends[name] ?? block[name.replace(/^blocks\.\d+\./, "")];
    if (!ours) return undefined;
    const theirs = gpt2Name(name);
    const tensor = tensors[name] ?? tensors[theirs];
    const transposed = tensor !== tensors[name] && TRANSPOSED.test(theirs);
    const shape = transposed ? [...ours].reverse() : ours;
    if (String(tensor?.shape) !== String(shape)) {
      const stored = tensor && tensor.name !== name ? ` (${tensor.name})` : "";
      throw new Error(`${name}${stored} should have the shape [${shape}], not [${tensor?.shape ?? ""}]: are these the weights of another model?`);
    }
    const scale = tensors[`${name}.scale`];
    const { data } = tensor;
    if (!scale && !(data instanceof Float32Array)) {
      throw new Error(`${name} holds whole numbers and has no scale: is the model quantised, or the file not whole?`);
    }
    const numbers = scale ? scaled(name, tensor.shape, data, scale.data) : data;
    if (!numbers.every(Number.isFinite)) throw new Error(`${name} holds numbers that are not finite: was the training unstable?`);
    return transposed ? transpose(numbers, shape) : numbers;
  };
}

// Row i times scale i.
function scaled(name, [rows, width], data, scale) {
  if (scale.length !== rows) {
    throw new Error(`${name} has ${scale.length} scales for its ${rows} rows: are these the weights of another model?`);
  }
  return new Float32Array(data).map((value, i) => value * scale[Math.floor(i / width)]);
}

export function transpose(numbers, [rows, columns]) {
  const out = new Float32Array(numbers.length);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = numbers[i++];
  }
  return out;
}
