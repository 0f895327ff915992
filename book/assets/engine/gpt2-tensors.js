// The tensors of a GPT-2 as other programs store them, by the names that gpt-weights.js asks for;
// whatever minigpt.exchange.load refuses is refused here (minigpt/exchange/checkpoint.py).

import { gptShapes } from "./gpt-config.js";
import { gpt2Name } from "./gpt-weights.js";

// What training's wrappers put before names, and the causal mask that early files hold as well.
const WRAPPERS = /(^|\.)(?:(?:_orig_mod|module|model|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+/g;
const MASK = /\.attn\.(bias|masked_bias)$/;
// Parts of names that a GPT's tensors do not have, and what model does.
const CAUSES = [
  ["lora_", "it is a LoRA adapter’s; join it with its model by peft’s merge_and_unload first"],
  ...[".SCB", "quant", "absmax", "qweight", "qzeros", "scales", "weight_scale"].map((part) => [part, "it is a quantised model’s; open one that is not"]),
  ["score", "it is a classifier’s; open the model that it was made from"],
];
const cause = (name) => CAUSES.find(([part]) => name.includes(part))?.[1] ?? "do the two files belong together?";

// config: as gptConfig gives it. stored: what readSafetensors made of the weights.
export function gpt2Tensors(config, stored) {
  const { ends, block } = gptShapes(config);
  const wanted = new Set(Object.keys(ends).map(gpt2Name));
  for (let i = 0; i < config.n_layer; i++) {
    for (const name of Object.keys(block)) wanted.add(gpt2Name(`blocks.${i}.${name}`));
  }
  const tensors = {};
  for (const tensor of Object.values(stored)) {
    const name = plainName(tensor.name, config);
    if (!name) continue;
    if (!wanted.has(name)) {
      // A model without biases may be stored with biases of 0.
      if (!config.bias && name.endsWith(".bias") && tensor.data.every((value) => value === 0)) continue;
      throw new Error(`it holds ${tensor.name}, [${tensor.shape}], which a GPT of the sizes in config.json does not have: ${cause(tensor.name)}`);
    }
    if (tensors[name]) checkSame(tensors[name], tensor);
    tensors[name] = tensor;
  }
  const missing = [...wanted].filter((name) => !tensors[name]);
  if (missing.length) {
    throw new Error(`it lacks ${missing.length} of ${wanted.size} tensors, among them ${missing[0]}: was the file cut short, or the model another?`);
  }
  return tensors;
}

// With the one prefix that GPT-2's own files lack; undefined for the mask, which is no weight.
function plainName(stored, { tie_word_embeddings: tied }) {
  const name = stored.replace(WRAPPERS, "$1");
  if (MASK.test(name)) return undefined;
  if (!name.startsWith("lm_head")) return `transformer.${name.replace(/^transformer\./, "")}`;
  return tied && name === "lm_head.weight" ? "transformer.wte.weight" : name;
}

// Of one tensor by two names, as of a tied head that is stored too.
function checkSame(one, other) {
  const [a, b] = [one.data, other.data];
  if (String(one.shape) === String(other.shape) && a.every((value, i) => value === b[i])) return;
  const ties = [one, other].some(({ name }) => name.includes("lm_head"));
  throw new Error(`${one.name} and ${other.name} differ, although ${ties ? "config.json ties them: set tie_word_embeddings to false there" : "they are one tensor by two names: take the wrong one out"}`);
}
