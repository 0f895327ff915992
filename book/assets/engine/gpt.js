// minigpt/model/gpt.py in the language that the browser speaks: a GPT that reads one token at a time
// and keeps the keys and values of those before it. A vector is a Float32Array; matrix.js has the
// matrices, vector-product.js the memory where all lie, and their products.

import { numbersOf, vectorsOf } from "./gpt-memory.js";
import { gptWeights } from "./gpt-weights.js";
import { matrix, putRow, roomFor, SIDE, takeRow } from "./matrix.js";
import { memoryFor } from "./vector-product.js";

export class GPT {
  // config: the model's config.json. tensors: what readSafetensors made of its weights. wasm: what
  // fetchedProduct resolves to, or nothing, which is slower.
  constructor(config, tensors, wasm) {
    const load = gptWeights(config, tensors);
    const { n_layer: L, n_embd: C, n_positions: room } = config;
    this.config = config;
    const { take, multiply } = memoryFor(numbersOf(config), wasm);
    this.multiply = multiply;
    this.tokens = matrix(load("token_embedding.weight"), C, take);
    this.positions = load("position_embedding.weight");
    const norm = (name) => ({ weight: load(`${name}.weight`), bias: load(`${name}.bias`) });
    const layer = (name, width = C) => ({ ...matrix(load(`${name}.weight`), width, take), bias: load(`${name}.bias`) });
    this.blocks = Array.from({ length: L }, (_, i) => ({
      norm1: norm(`blocks.${i}.norm_1`),
      qkv: layer(`blocks.${i}.attention.qkv`),
      projection: layer(`blocks.${i}.attention.projection`),
      norm2: norm(`blocks.${i}.norm_2`),
      up: layer(`blocks.${i}.mlp.up`),
      down: layer(`blocks.${i}.mlp.down`, 4 * C),
      keys: take(roomFor(room, C)),  // the cache: a row for each token read
      values: take(room * C),
    }));
    this.finalNorm = norm("final_norm");
    const head = load("lm_head.weight");
    this.head = head ? matrix(head, C, take) : this.tokens;  // tied: the token table once more
    this.work = Object.fromEntries(Object.entries(vectorsOf(config)).map(([name, n]) => [name, take(n)]));
    this.length = 0;  // tokens read
  }

  // Forget all but the first `length` tokens.
  rewind(length) {
    if (!(length >= 0 && length <= this.length)) throw new Error(`${this.length} tokens were read: not back to ${length}`);
    this.length = length;
  }

  // Read tokens. Returns V numbers: a score for every token that could come next.
  read(ids) {
    this.check(ids);
    let x;
    for (const id of ids) x = this.step(id);
    return this.scores(x);
  }

  // One token's vector after the last block. `watch` is told each thing on the way; what it keeps
  // it must copy, as the vector goes on changing.
  step(id, watch = () => {}) {
    const C = this.config.n_embd;
    const t = this.length;
    const { x, normal, qkv, gathered, added, hidden } = this.work;
    const token = takeRow(this.tokens.weight, id, C);
    const position = this.positions.subarray(t * C, (t + 1) * C);
    x.set(token);
    add(x, position);
    watch("token", token);
    watch("position", position);
    watch("stream", x);
    this.blocks.forEach((block) => {
      this.linear(normalised(x, block.norm1, normal), block.qkv, qkv);
      this.attend(block, t, watch);
      this.linear(gathered, block.projection, added);
      add(x, added);
      watch("attention", added);
      this.linear(normalised(x, block.norm2, normal), block.up, hidden);
      bend(hidden);
      watch("hidden", hidden);
      this.linear(hidden, block.down, added);
      add(x, added);
      watch("mlp", added);
      watch("stream", x);
    });
    this.length = t + 1;
    return x;
  }

  scores(x) {
    const { normal, scores } = this.work;
    return this.linear(normalised(x, this.finalNorm, normal), this.head, scores.subarray(0, this.head.rows)).slice();
  }

  // out: a matrix's rows times x, one number each.
  linear(x, { weight, bias }, out) {
    this.multiply(weight, SIDE * x.length, SIDE, x, out);
    if (bias) add(out, bias);
    return out;
  }

  // Every head: softmax(q kᵀ / √D) over the tokens up to this one, and their values so weighted.
  // The keys are stored as a matrix with a row for each token, so that a product gives a score for
  // each. The values lie token after token: read in steps of C, each of a head's D columns is a row.
  attend({ keys, values }, t, watch) {
    const { n_embd: C, n_head: H } = this.config;
    const D = C / H;
    const { qkv, gathered, matches } = this.work;
    watch("qkv", qkv);
    putRow(keys, t, qkv.subarray(C, 2 * C));
    values.set(qkv.subarray(2 * C), t * C);
    for (let c = 0; c < C; c++) qkv[c] /= Math.sqrt(D);
    const weights = matches.subarray(0, t + 1);
    for (let h = 0; h < H; h++) {
      this.multiply(keys.subarray(SIDE * h * D), SIDE * C, SIDE, qkv.subarray(h * D, (h + 1) * D), weights);
      watch("matches", weights);
      softmax(weights);
      this.multiply(values.subarray(h * D), SIDE, C, weights, gathered.subarray(h * D, (h + 1) * D));
      watch("weights", weights);
    }
  }

  // Throws where these tokens cannot be read after so many others.
  check(ids, length = this.length) {
    const { vocab_size, n_positions } = this.config;
    if (!ids.length) throw new Error("there is no token to read: give at least one");
    if (length + ids.length > n_positions) {
      throw new Error(`${length} tokens were read, and ${ids.length} more are beyond the ${n_positions} that the model sees (n_positions): shorten the text`);
    }
    for (const id of ids) {
      if (Number.isInteger(id) && id >= 0 && id < vocab_size) continue;
      throw new Error(`token id ${id} is not between 0 and ${vocab_size - 1}: was the text encoded with another tokenizer?`);
    }
  }
}

function add(a, b) {
  for (let i = 0; i < a.length; i++) a[i] += b[i];
}

// out: x with mean 0 and variance 1, then stretched and moved.
function normalised(x, { weight, bias }, out) {
  let [total, squares] = [0, 0];
  for (const value of x) total += value;
  const mean = total / x.length;
  for (const value of x) squares += (value - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / x.length + 1e-5);
  for (let c = 0; c < x.length; c++) out[c] = (x[c] - mean) * scale * weight[c] + (bias ? bias[c] : 0);
  return out;
}

function softmax(scores) {
  let [best, total] = [-Infinity, 0];
  for (const score of scores) best = Math.max(best, score);
  for (let i = 0; i < scores.length; i++) total += scores[i] = Math.exp(scores[i] - best);
  for (let i = 0; i < scores.length; i++) scores[i] /= total;
}

// GELU, by the approximation with a tanh, as in GPT-2: 0.5 (1 + tanh y) is 1 / (1 + exp(-2 y)).
function bend(numbers) {
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    numbers[i] = x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }
}
