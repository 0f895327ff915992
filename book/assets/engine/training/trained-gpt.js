// minigpt/model/gpt.py with its gradients: a whole batch forward, the loss, and all the way back.
// What a line of `forward` computes, a line of `backward` takes apart, in the reverse order.

import { gptCosts, gptShapes } from "../gpt-config.js";
import { roomFor, transposed } from "./room.js";

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

// All tensors of a GPT, one behind the other: [{name, shape, at, size, decays}].
export function tensorsOf(config) {
  const { ends, block } = gptShapes(config);
  const blocks = Array.from({ length: config.n_layer }, (_, i) =>
    Object.entries(block).map(([name, shape]) => [`blocks.${i}.${name}`, shape]));
  let at = 0;
  return [...Object.entries(ends), ...blocks.flat()].map(([name, shape]) => {
    const tensor = { name, shape, at, size: sizeOf(shape), decays: shape.length > 1 };
    at += tensor.size;
    return tensor;
  });
}

// How many numbers a run keeps: weights, gradients and AdamW's two memories, and what the way
// forward leaves for the way back.
export function numbersOf(config, batch, length) {
  const worked = activations(config, batch, length).reduce((sum, [, size]) => sum + size, 0);
  return 4 * gptCosts(config).numbers + worked;
}

// The settings that every model trained here has: a GPT-2's of these sizes.
export const trainedConfig = (vocab_size, sizes) => ({ vocab_size, ...sizes, bias: true, tie_word_embeddings: true });

// What is kept of the way forward, and room for the way back: [name, numbers].
function activations({ vocab_size: V, n_embd: C, n_head: H, n_layer: L }, batch, length) {
  const N = batch * length;
  const block = [
    ["x", N * C], ["norm_1", N * C], ["scale_1", N], ["qkv", 3 * N * C], ["weights", H * N * length], ["gathered", N * C],
    ["middle", N * C], ["norm_2", N * C], ["scale_2", N], ["up", 4 * N * C], ["bent", 4 * N * C],
  ];
  return [
    ...Array.from({ length: L }, (_, i) => block.map(([name, size]) => [`${i}.${name}`, size])).flat(),
    ["x", N * C], ["norm", N * C], ["scale", N], ["scores", N * V],
    ["dx", N * C], ["dnorm", N * C], ["dqkv", 3 * N * C], ["dgathered", N * C], ["dweights", length * length], ["dup", 4 * N * C],
  ];
}

export class TrainedGPT {
  // config: sizes, as gptConfig gives them, tied, with biases. wasm: as fetchedWasm gives it, or nothing.
  static async make(config, { batch, length }, wasm) {
    return new TrainedGPT(config, { batch, length }, await roomFor(numbersOf(config, batch, length), wasm));
  }

  constructor(config, { batch, length }, { floats, product, layers }) {
    Object.assign(this, { config, batch, length, floats, product, layers });
    this.tensors = tensorsOf(config);
    const count = gptCosts(config).numbers;
    [this.weights, this.gradients, this.means, this.squares] = [0, 1, 2, 3].map((i) => floats.subarray(i * count, (i + 1) * count));
    this.count = count;
    this.places = Object.fromEntries(this.tensors.map(({ name, at }) => [name, at]));
    let at = 4 * count;
    this.kept = Object.fromEntries(activations(config, batch, length).map(([name, size]) => {
      const place = at;
      at += size;
      return [name, place];
    }));
  }

  // The mean surprise, in nats per token, at what follows each of B T tokens. `inputs` and
  // `targets` are ids, window after window.
  forward(inputs, targets) {
    const { config: { n_layer: L, n_embd: C, vocab_size: V }, kept, floats, places, length, layers } = this;
    const N = inputs.length;
    const [tokens, positions] = [places["token_embedding.weight"], places["position_embedding.weight"]];
    const first = L ? kept["0.x"] : kept.x;
    for (let n = 0; n < N; n++) {
      const [token, position] = [tokens + inputs[n] * C, positions + (n % length) * C];
      for (let c = 0; c < C; c++) floats[first + n * C + c] = floats[token + c] + floats[position + c];
    }
    for (let i = 0; i < L; i++) {
      const at = (name) => kept[`${i}.${name}`];
      const next = i + 1 < L ? kept[`${i + 1}.x`] : kept.x;
      this.normalise(N, at("x"), at("norm_1"), at("scale_1"), `blocks.${i}.norm_1`);
      this.linear(N, C, 3 * C, at("norm_1"), at("qkv"), `blocks.${i}.attention.qkv`);
      this.attend(N, at);
      this.linear(N, C, C, at("gathered"), at("middle"), `blocks.${i}.attention.projection`);
      layers.add(at("middle"), at("x"), N * C);
      this.normalise(N, at("middle"), at("norm_2"), at("scale_2"), `blocks.${i}.norm_2`);
      this.linear(N, C, 4 * C, at("norm_2"), at("up"), `blocks.${i}.mlp.up`);
      layers.gelu(at("up"), at("bent"), at("up"), 4 * N * C);  // and its slope, for the way back
      this.linear(N, 4 * C, C, at("bent"), next, `blocks.${i}.mlp.down`);
      layers.add(next, at("middle"), N * C);
    }
    this.normalise(N, kept.x, kept.norm, kept.scale, "final_norm");
    this.product(N, V, C, rows(kept.norm, C), transposed(rows(tokens, C)), rows(kept.scores, V));
    return this.surprise(N, targets);
  }

  // Fill `gradients` with what the loss of the last `forward` changes by, a number's change.
  backward(inputs) {
    const { config: { n_layer: L, n_embd: C, vocab_size: V }, kept, gradients, floats, places, count, length, layers } = this;
    const N = inputs.length;
    const [tokens, positions] = [places["token_embedding.weight"], places["position_embedding.weight"]];
    gradients.fill(0);
    // `surprise` left the gradient of the scores in their place.
    this.product(N, C, V, rows(kept.scores, V), rows(tokens, C), rows(kept.dnorm, C));
    this.product(V, C, N, transposed(rows(kept.scores, V)), rows(kept.norm, C), rows(count + tokens, C));
    floats.fill(0, kept.dx, kept.dx + N * C);
    this.normaliseBack(N, kept.x, kept.scale, "final_norm");
    for (let i = L - 1; i >= 0; i--) {
      const at = (name) => kept[`${i}.${name}`];
      this.linearBack(N, 4 * C, C, at("bent"), kept.dx, kept.dup, `blocks.${i}.mlp.down`);
      layers.multiply(kept.dup, at("up"), 4 * N * C);
      this.linearBack(N, C, 4 * C, at("norm_2"), kept.dup, kept.dnorm, `blocks.${i}.mlp.up`);
      this.normaliseBack(N, at("middle"), at("scale_2"), `blocks.${i}.norm_2`);
      this.linearBack(N, C, C, at("gathered"), kept.dx, kept.dgathered, `blocks.${i}.attention.projection`);
      this.attendBack(N, at);
      this.linearBack(N, C, 3 * C, at("norm_1"), kept.dqkv, kept.dnorm, `blocks.${i}.attention.qkv`);
      this.normaliseBack(N, at("x"), at("scale_1"), `blocks.${i}.norm_1`);
    }
    for (let n = 0; n < N; n++) {
      const [token, position] = [tokens + inputs[n] * C, positions + (n % length) * C];
      for (let c = 0; c < C; c++) {
        gradients[token + c] += floats[kept.dx + n * C + c];
        gradients[position + c] += floats[kept.dx + n * C + c];
      }
    }
  }

  // Rows of y = rows of x times a matrix (out, in), and a bias.
  linear(N, from, to, x, y, name) {
    const { floats, places } = this;
    const bias = places[`${name}.bias`];
    for (let n = 0; n < N; n++) floats.copyWithin(y + n * to, bias, bias + to);
    this.product(N, to, from, rows(x, from), transposed(rows(places[`${name}.weight`], from)), rows(y, to), true);
  }

  linearBack(N, from, to, x, dy, dx, name) {
    const { places, count, layers } = this;
    const [weight, bias] = [places[`${name}.weight`], places[`${name}.bias`]];
    this.product(N, from, to, rows(dy, to), rows(weight, from), rows(dx, from));
    this.product(to, from, N, transposed(rows(dy, to)), rows(x, from), rows(count + weight, from));
    layers.addRows(count + bias, dy, N, to);
  }

  normalise(N, x, y, scales, name) {
    const { places, layers, config: { n_embd: C } } = this;
    layers.normalise(x, y, scales, places[`${name}.weight`], places[`${name}.bias`], N, C);
  }

  // Takes the gradient of y from `dnorm`, and adds that of x to `dx`.
  normaliseBack(N, x, scales, name) {
    const { places, count, layers, kept: { dnorm, dx }, config: { n_embd: C } } = this;
    const [weight, bias] = [places[`${name}.weight`], places[`${name}.bias`]];
    layers.normaliseBack(x, scales, weight, count + weight, count + bias, dnorm, dx, N, C);
  }

  // Every head of every window: softmax(q kᵀ / √D), nothing of the future, times v.
  attend(N, at) {
    this.heads(N, at, ({ q, k, v, weights, gathered, D, T }) => {
      this.product(T, T, D, q, transposed(k), rows(weights, T));
      this.layers.weigh(weights, T, 1 / Math.sqrt(D));
      this.product(T, D, T, rows(weights, T), v, gathered);
    });
  }

  attendBack(N, at) {
    const { kept: { dqkv, dgathered, dweights } } = this;
    this.heads(N, at, ({ q, k, v, weights, gathered, D, T, moved }) => {
      const [dq, dk, dv] = [q, k, v].map((part) => moved(part, dqkv));
      const dout = { ...gathered, at: gathered.at - at("gathered") + dgathered };
      const dw = rows(dweights, T);
      this.product(T, T, D, dout, transposed(v), dw);
      this.product(T, D, T, transposed(rows(weights, T)), dout, dv);
      this.layers.weighBack(weights, dweights, T, 1 / Math.sqrt(D));
      this.product(T, D, T, dw, k, dq);
      this.product(T, D, T, transposed(dw), q, dk);
    });
  }

  // Where the parts of each head lie.
  heads(N, at, use) {
    const { config: { n_embd: C, n_head: H }, length: T } = this;
    const D = C / H;
    const moved = (part, to) => ({ ...part, at: part.at - at("qkv") + to });
    for (let b = 0; b < N / T; b++) {
      for (let h = 0; h < H; h++) {
        const part = (which) => ({ at: at("qkv") + 3 * b * T * C + which * C + h * D, row: 3 * C, column: 1 });
        use({
          q: part(0), k: part(1), v: part(2), weights: at("weights") + (b * H + h) * T * T,
          gathered: { at: at("gathered") + b * T * C + h * D, row: C, column: 1 }, D, T, moved,
        });
      }
    }
  }

  // The mean of −ln p; in the scores' place, its gradient: p, less 1 for what came, over N.
  surprise(N, targets) {
    const { floats, layers, kept: { scores }, config: { vocab_size: V } } = this;
    let loss = 0;
    for (let n = 0; n < N; n++) {
      const row = scores + n * V;
      const right = floats[row + targets[n]];
      loss += (layers.softmax(row, V, 1 / N) - right) / N;
      floats[row + targets[n]] -= 1 / N;
    }
    return loss;
  }
}

const rows = (at, width) => ({ at, row: width, column: 1 });
