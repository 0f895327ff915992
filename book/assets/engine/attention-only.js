// minigpt/attention/attention_only.py in the language that the browser speaks: tokens and positions, then
// layers of attention that each add what they gathered. A matrix is one flat Float32Array, row
// after row; T, C and D are the number of tokens, the width of a vector and the width of a head.

import { fetchedBytes, fetchedJson } from "./fetched.js";
import { readSafetensors } from "./safetensors.js";

export class AttentionOnly {
  // config: config.json of the model. tensors: what readSafetensors returns.
  constructor(config, tensors) {
    this.config = config;
    const { vocab_size, context_length, n_embd, n_head, n_layer } = config;
    if (!(n_embd % n_head === 0)) throw new Error(`n_embd ${n_embd} cannot be cut into n_head ${n_head} heads`);
    const matrix = (name, ...shape) => {
      const tensor = tensors[`${name}.weight`];
      if (String(tensor?.shape) === String(shape)) return tensor.data;
      throw new Error(`${name}.weight should have the shape [${shape}], not [${tensor?.shape ?? ""}]`);
    };
    this.tokens = matrix("token_embedding", vocab_size, n_embd);
    this.positions = matrix("position_embedding", context_length, n_embd);
    this.layers = Array.from({ length: n_layer }, (_, i) => ({
      qkv: matrix(`layers.${i}.qkv`, 3 * n_embd, n_embd),
      projection: matrix(`layers.${i}.projection`, n_embd, n_embd),
    }));
  }

  // url: the address of the two files, less their endings .json and .safetensors.
  static async fetch(url) {
    const [config, weights] = await Promise.all([fetchedJson(`${url}.json`), fetchedBytes(`${url}.safetensors`)]);
    return new AttentionOnly(config, readSafetensors(weights));
  }

  // weights(ids)[layer][head] holds T × T numbers: row q says how much token q takes of each.
  weights(ids) {
    return this.run(ids).maps;
  }

  // T × V numbers: a score for every token that could come next, at every position.
  logits(ids) {
    const { n_embd: C } = this.config;
    return timesRows(normalised(this.run(ids).x, C), this.tokens, C);
  }

  // {x, qkv, maps}: the vectors at the end; of each layer T × 3C numbers, the queries of all heads,
  // then the keys, then the values; and the weights.
  run(ids) {
    this.check(ids);
    const { n_embd: C, n_head } = this.config;
    const x = new Float32Array(ids.length * C);
    ids.forEach((id, t) => {
      for (let c = 0; c < C; c++) x[t * C + c] = this.tokens[id * C + c] + this.positions[t * C + c];
    });
    const qkv = [];
    const maps = this.layers.map((layer) => {
      const projected = timesRows(normalised(x, C), layer.qkv, C);
      qkv.push(projected);
      const gathered = new Float32Array(x.length);
      const heads = Array.from({ length: n_head }, (_, h) => attend(projected, gathered, C, C / n_head, h));
      timesRows(gathered, layer.projection, C).forEach((value, i) => { x[i] += value; });
      return heads;
    });
    return { x, qkv, maps };
  }

  check(ids) {
    const { vocab_size, context_length } = this.config;
    if (ids.length > context_length) {
      throw new Error(`${ids.length} tokens are more than the context_length of ${context_length}: shorten the text`);
    }
    for (const id of ids) {
      if (Number.isInteger(id) && id >= 0 && id < vocab_size) continue;
      throw new Error(`token id ${id} is not between 0 and ${vocab_size - 1}: was the text encoded with another tokenizer?`);
    }
  }
}

// Every row of x with mean 0 and variance 1.
function normalised(x, C) {
  const out = new Float32Array(x.length);
  for (let row = 0; row < x.length; row += C) {
    const vector = x.subarray(row, row + C);
    const mean = vector.reduce((sum, value) => sum + value, 0) / C;
    const variance = vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) / C;
    for (let c = 0; c < C; c++) out[row + c] = (vector[c] - mean) / Math.sqrt(variance + 1e-5);
  }
  return out;
}

// x @ matrixᵀ: every row of x (of width C) times every row of the matrix.
function timesRows(x, matrix, C) {
  const out = new Float32Array((x.length / C) * (matrix.length / C));
  for (let row = 0, i = 0; row < x.length; row += C) {
    for (let column = 0; column < matrix.length; column += C, i++) {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += x[row + c] * matrix[column + c];
      out[i] = sum;
    }
  }
  return out;
}

// Head h: softmax(q kᵀ / √D) over each token and those before it, and the values so weighted.
function attend(qkv, gathered, C, D, h) {
  const T = gathered.length / C;
  const weights = new Float32Array(T * T);  // what no token may see keeps its 0
  for (let q = 0; q < T; q++) {
    const row = weights.subarray(q * T, q * T + q + 1);
    const query = q * 3 * C + h * D;
    for (let k = 0; k <= q; k++) {
      const key = k * 3 * C + C + h * D;
      let score = 0;
      for (let d = 0; d < D; d++) score += qkv[query + d] * qkv[key + d];
      row[k] = score / Math.sqrt(D);
    }
    const highest = Math.max(...row);
    let sum = 0;
    for (let k = 0; k <= q; k++) sum += row[k] = Math.exp(row[k] - highest);
    for (let k = 0; k <= q; k++) {
      row[k] /= sum;
      const value = k * 3 * C + 2 * C + h * D;
      for (let d = 0; d < D; d++) gathered[q * C + h * D + d] += row[k] * qkv[value + d];
    }
  }
  return weights;
}
