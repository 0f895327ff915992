// What a GPT of given sizes costs: the formulas of minigpt/model/ledger.py, which derives them, and the
// sizes of minigpt/model/gpt.py. The tests hold all of it to Python, to the last digit.

const gpt2 = { vocab_size: 50257, context_length: 1024, bias: true, tied: true };

export const PRESETS = {
  "gpt2": { ...gpt2, n_layer: 12, n_head: 12, n_embd: 768 },
  "gpt2-medium": { ...gpt2, n_layer: 24, n_head: 16, n_embd: 1024 },
  "gpt2-large": { ...gpt2, n_layer: 36, n_head: 20, n_embd: 1280 },
  "gpt2-xl": { ...gpt2, n_layer: 48, n_head: 25, n_embd: 1600 },
  "shakespeare": { ...gpt2, vocab_size: 4096, context_length: 256, n_layer: 6, n_head: 5, n_embd: 160 },
};

// Below these no number reaches 2⁵³, from which on JavaScript would round.
export const LIMITS = { vocab_size: 131072, context_length: 16384, n_layer: 96, n_head: 12288, n_embd: 12288 };

const BYTES = { float32: 4, float16: 2, adamw: 16 }; // AdamW: weight, gradient and two averages

export function checkConfig(config) {
  for (const [name, limit] of Object.entries(LIMITS)) {
    const value = config[name];
    if (!Number.isInteger(value) || value < 1 || value > limit) {
      throw new RangeError(`${name} is ${value}: choose a whole number from 1 to ${limit}.`);
    }
  }
  for (const name of ["bias", "tied"]) {
    if (typeof config[name] !== "boolean") throw new RangeError(`${name} is ${config[name]}: choose true or false.`);
  }
  if (config.n_embd % config.n_head) {
    throw new RangeError(`n_embd ${config.n_embd} cannot be cut into n_head ${config.n_head} heads of equal width: `
      + `choose a number of heads that divides it, such as ${nearestDivisor(config.n_embd, config.n_head)}.`);
  }
}

export const divisors = (n) => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

// The divisor of n with the smallest ratio to `wanted`: of two, the smaller.
export function nearestDivisor(n, wanted) {
  const ratio = (d) => Math.max(d, wanted) / Math.min(d, wanted);
  return divisors(n).reduce((best, d) => (ratio(d) < ratio(best) ? d : best));
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b);

export function parameterCounts({ vocab_size: V, context_length: T, n_embd: C, n_layer: L, bias, tied }) {
  const b = Number(bias);
  return {
    token_embedding: V * C,
    position_embedding: T * C,
    attention: L * (4 * C * C + b * 4 * C),
    mlp: L * (8 * C * C + b * 5 * C),
    norms: (2 * L + 1) * (1 + b) * C,
    lm_head: tied ? 0 : V * C,
  };
}

export const parameterCount = (config) => sum(parameterCounts(config));

export function forwardFlops({ vocab_size: V, n_embd: C, n_layer: L }, tokens) {
  const matrices = L * 12 * C * C + V * C;
  const tables = L * 2 * tokens * C;
  return 2 * tokens * (matrices + tables);
}

export function activationBytes({ n_embd: C, n_layer: L, n_head: H }, tokens) {
  const numbers = L * (16 * C + 4 + H) + 2 * C + 2;
  return tokens * (4 * numbers + 8);
}

export const kvCacheBytes = ({ n_embd: C, n_layer: L }, tokens) => tokens * 2 * L * C * BYTES.float16;

// All that the calculator shows, for one sequence of a full context.
export function modelLedger(config) {
  checkConfig(config);
  const tokens = config.context_length;
  const counts = parameterCounts(config);
  const parameters = sum(counts);
  const flops = forwardFlops(config, tokens);
  return {
    counts,
    parameters,
    float32_bytes: BYTES.float32 * parameters,
    float16_bytes: BYTES.float16 * parameters,
    adamw_bytes: BYTES.adamw * parameters,
    activation_bytes: activationBytes(config, tokens),
    kv_cache_bytes: kvCacheBytes(config, tokens),
    kv_cache_bytes_per_token: kvCacheBytes(config, 1),
    flops,
    flops_per_token: flops / tokens, // whole: every term of `flops` has the factor `tokens`
  };
}
