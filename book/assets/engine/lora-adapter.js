// A LoRA adapter as peft stores it: thin matrices A and B of some linear layers, by which the layer
// computes W x + (alpha / r) B (A x). What minigpt.finetuning.load_adapter takes and refuses
// (minigpt/finetuning/adapter_reading.py, peft_format.py), but for whose adapter it is: the page's
// base is rounded to 8 bits, so the digest in the file is of other weights.

import { gptConfig, gptShapes } from "./gpt-config.js";
import { gpt2Name } from "./gpt-weights.js";

const PREFIX = "base_model.model.";  // peft's wrapper and its tuner, which stand before every name
const MATRICES = [[".lora_A.weight", "A"], [".lora_B.weight", "B"]];
const LAYERS = ["attention.qkv", "attention.projection", "mlp.up", "mlp.down"];
// Settings that say nothing of what is computed, or what the tensors say.
const FREE = new Set([
  "alora_invocation_string", "auto_mapping", "base_model_name_or_path", "corda_config", "eva_config", "exclude_modules",
  "fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha",
  "lora_dropout", "lora_ga_config", "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r", "revision",
  "runtime_config", "target_modules", "task_type",
]);
// Starts that leave the base as it is; others change its matrices too.
const STARTS = [true, false, "gaussian", "orthogonal", "eva"];
const asksNothing = (value) => [null, undefined, false, 0, "none", ""].includes(value)
  || (typeof value === "object" && !Object.keys(value).length);

// settings: what JSON.parse made of adapter_config.json. Returns {rank, scale}.
export function adapterSizes(settings) {
  const { peft_type: kind, r: rank, lora_alpha: alpha, init_lora_weights: start = true } = settings ?? {};
  if (kind !== "LORA") throw new Error(`peft_type is ${kind}; only LORA can be put on: choose another adapter`);
  for (const [name, value] of Object.entries(settings)) {
    if (FREE.has(name) || asksNothing(value)) continue;
    throw new Error(`${name} is ${JSON.stringify(value)}, which asks for more than W x + (alpha / r) B A x: train the adapter without it`);
  }
  if (!STARTS.includes(start)) throw new Error(`init_lora_weights is ${start}, which changes the model’s own matrices too: train the adapter without it`);
  if (!Number.isInteger(rank) || rank < 1) throw new Error(`r is ${rank}; it must be a whole number of at least 1`);
  if (!Number.isFinite(alpha) || alpha <= 0) throw new Error(`lora_alpha is ${alpha}; it must be a number above 0, such as twice r`);
  return { rank, scale: alpha / rank };
}

// config: the base's. tensors: what readSafetensors made of adapter_model.safetensors. Returns
// {rank, scale, layers}: of each layer that has one, by our name, A (rank × inputs) and B (outputs
// × rank), row after row.
export function readAdapter(config, settings, tensors) {
  const { rank, scale } = adapterSizes(settings);
  const sizes = linearLayers(config);
  const names = Object.fromEntries(Object.keys(sizes).flatMap((ours) => {
    const theirs = gpt2Name(`${ours}.weight`).replace(/\.weight$/, "");
    return [theirs, theirs.replace(/^transformer\./, ""), ours].map((name) => [name, ours]);
  }));
  const layers = {};
  for (const tensor of Object.values(tensors)) {
    const [ending, matrix] = MATRICES.find(([end]) => tensor.name.endsWith(end)) ?? [];
    if (!matrix) throw new Error(`it holds ${tensor.name}, which is no matrix A or B of a linear layer (.lora_A.weight, .lora_B.weight): only these can be put on`);
    const layer = tensor.name.replace(PREFIX, "").slice(0, -ending.length);
    if (!Object.hasOwn(names, layer)) throw new Error(`it holds ${tensor.name}, and the model has no linear layer ${layer}: is the adapter another model’s?`);
    (layers[names[layer]] ??= {})[matrix] = tensor;
  }
  if (!Object.keys(layers).length) throw new Error("it holds no matrix: save the adapter again");
  for (const [layer, found] of Object.entries(layers)) {
    const [rows, width] = sizes[layer];
    const shapes = { A: [rank, width], B: [rows, rank] };
    for (const matrix of ["A", "B"]) found[matrix] = checked(found[matrix], `${matrix} of ${layer}`, shapes[matrix]);
  }
  return { rank, scale, layers };
}

// The shape [outputs, inputs] of each linear layer of a GPT that an adapter can change, by our name.
export function linearLayers(settings) {
  const config = gptConfig(settings);
  const { block } = gptShapes(config);
  return Object.fromEntries(Array.from({ length: config.n_layer }, (_, i) =>
    LAYERS.map((layer) => [`blocks.${i}.${layer}`, block[`${layer}.weight`]])).flat());
}

function checked(tensor, what, shape) {
  if (!tensor) throw new Error(`it lacks ${what}: was the file cut short, or changed by another program?`);
  if (String(tensor.shape) !== String(shape)) {
    throw new Error(`${tensor.name} (${what}) has the shape [${tensor.shape}]; on this model, with r as in adapter_config.json, it is [${shape}]: do the files and the model belong together?`);
  }
  const { data } = tensor;
  if (!(data instanceof Float32Array)) throw new Error(`${tensor.name} (${what}) holds no floating-point numbers: save it as float32 or float16`);
  if (!data.every(Number.isFinite)) throw new Error(`${tensor.name} (${what}) holds numbers that are not finite: was the training unstable?`);
  return data;
}
