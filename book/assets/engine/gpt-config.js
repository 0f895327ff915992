// Refuses a config.json that lacks a size or asks for another computation than gpt.js's: what
// config_from_gpt2 refuses (minigpt/exchange/gpt2_format.py).

const SIZES = ["vocab_size", "n_positions", "n_layer", "n_head", "n_embd"];
// What else it may say for our model to compute the same; absent means the first.
const SETTINGS = {
  model_type: ["gpt2"],
  activation_function: ["gelu_new", "gelu_pytorch_tanh"],
  layer_norm_epsilon: [1e-5],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  add_cross_attention: [false],
};

export function checkConfig(config) {
  for (const [name, values] of Object.entries(SETTINGS)) {
    if (!(name in config) || values.includes(config[name])) continue;
    throw new Error(`${name} is ${config[name]}; this GPT computes ${values[0]} only: choose another model`);
  }
  for (const name of SIZES) {
    if (Number.isInteger(config[name]) && config[name] >= 1) continue;
    throw new Error(`${name} is ${config[name]}; it must be a whole number of at least 1: is this the config.json of a GPT?`);
  }
  const { n_embd: C, n_head: H, n_inner } = config;
  if (C % H !== 0) throw new Error(`n_embd ${C} cannot be cut into n_head ${H} heads`);
  if ((n_inner ?? 4 * C) !== 4 * C) throw new Error(`n_inner is ${n_inner}; this GPT's MLP is 4 n_embd wide, ${4 * C}`);
}
