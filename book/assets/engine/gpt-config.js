// The sizes that a config.json gives, or what it asks for that gpt.js does not compute: what
// config_from_gpt2 takes and refuses (minigpt/exchange/gpt2_format.py). Dropout is for training,
// so here any will do.

// Each size, and other names of it: those that transformers reads too, and that of the first files.
const SIZES = {
  vocab_size: [],
  n_positions: ["max_position_embeddings", "n_ctx"],
  n_layer: ["num_hidden_layers"],
  n_head: ["num_attention_heads"],
  n_embd: ["hidden_size"],
};
// What else it may say for our model to compute the same; absent means the first.
const SETTINGS = {
  model_type: ["gpt2"],
  activation_function: ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
  layer_norm_epsilon: [1e-5],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  add_cross_attention: [false],
};

// settings: what JSON.parse made of the file. Returns its sizes, with `bias` and
// `tie_word_embeddings`, by GPT-2's names.
export function gptConfig(settings) {
  const kind = String(settings.architectures?.[0] ?? "GPT2");
  const ofGPT2 = kind.startsWith("GPT2");
  for (const [name, values] of Object.entries(SETTINGS)) {
    if (!(name in settings) || values.includes(settings[name])) continue;
    throw new Error(`${name} is ${settings[name]}${ofGPT2 ? "" : ` (of a ${kind})`}; this GPT computes ${values[0]} only: choose another model`);
  }
  if (!ofGPT2) throw new Error(`this is a ${kind}, by its architectures; only a GPT2 can be opened: choose another model`);
  const config = {};
  for (const [name, also] of Object.entries(SIZES)) {
    const given = [name, ...also].find((one) => one in settings) ?? name;
    config[name] = settings[given];
    if (Number.isInteger(config[name]) && config[name] >= 1) continue;
    throw new Error(`${given} is ${config[name]}; it must be a whole number of at least 1: is this the config.json of a GPT?`);
  }
  for (const name of ["bias", "tie_word_embeddings"]) {
    config[name] = name in settings ? settings[name] : true;
    if (typeof config[name] !== "boolean") throw new Error(`${name} is ${config[name]}; it must be true or false: is this the config.json of a GPT?`);
  }
  const { n_embd: C, n_head: H } = config;
  if (C % H !== 0) throw new Error(`n_embd ${C} cannot be cut into n_head ${H} heads`);
  const { n_inner } = settings;
  if ((n_inner ?? 4 * C) !== 4 * C) throw new Error(`n_inner is ${n_inner}; this GPT's MLP is 4 n_embd wide, ${4 * C}`);
  return config;
}

// The shapes of all tensors of such a model by our names: those of its ends, and of each block.
export function gptShapes({ vocab_size: V, n_positions: T, n_embd: C, bias, tie_word_embeddings: tied }) {
  const layer = (name, ...shape) => [[`${name}.weight`, shape], ...(bias ? [[`${name}.bias`, shape.slice(0, 1)]] : [])];
  return {
    ends: Object.fromEntries([
      ["token_embedding.weight", [V, C]], ["position_embedding.weight", [T, C]], ...layer("final_norm", C),
      ...(tied ? [] : [["lm_head.weight", [V, C]]]),
    ]),
    block: Object.fromEntries([
      ...layer("norm_1", C), ...layer("attention.qkv", 3 * C, C), ...layer("attention.projection", C, C),
      ...layer("norm_2", C), ...layer("mlp.up", 4 * C, C), ...layer("mlp.down", C, 4 * C),
    ]),
  };
}

// How many numbers such a model has, and bytes that it takes here: 4 a number, and the same for
// the keys and values of all tokens that it sees.
export function gptCosts(config) {
  const { ends, block } = gptShapes(config);
  const count = (shapes) => Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  const { n_layer: L, n_positions: T, n_embd: C } = config;
  const numbers = count(ends) + L * count(block);
  return { numbers, bytes: 4 * (numbers + 2 * L * T * C) };
}
