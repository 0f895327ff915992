// A GPT that computes with an adapter or without, as minigpt.finetuning.LoRALinear does: beside a
// layer's product, a second one with two thin matrices. The layer's own numbers are never touched,
// so with the adapter off the model computes what it computed before, to the bit.

import { GPT } from "./gpt.js";
import { matrix, multiply, SIDE } from "./matrix.js";

const take = (n) => new Float32Array(n);  // outside of the model's memory, whose size is fixed

export class GPTWithAdapter extends GPT {
  // adapter: what `prepared` gave, or nothing, for none. What was read with another is forgotten.
  use(adapter) {
    if (adapter === this.adapter) return;
    this.adapter = adapter;
    this.rewind(0);
  }

  // adapter: what readAdapter gave. Returns what `use` takes: for each layer its two matrices, of
  // which B is already multiplied by alpha / r, and room for the numbers on the way.
  prepared({ rank, scale, layers }) {
    return new Map(Object.entries(layers).map(([name, { A, B }]) => {
      const [, block, , part] = name.split(".");
      return [this.blocks[block][part], {
        down: matrix(A, A.length / rank, take), up: matrix(B.map((value) => scale * value), rank, take),
        few: take(rank), added: take(B.length / rank),
      }];
    }));
  }

  // As of the GPT, and then the change: out + (alpha / r) B (A x).
  linear(x, layer, out) {
    super.linear(x, layer, out);
    const change = this.change(x, layer);
    if (change) for (let i = 0; i < out.length; i++) out[i] += change[i];
    return out;
  }

  // What the adapter that is on adds to what a layer computes from x, or nothing.
  change(x, layer) {
    if (!this.adapter?.has(layer)) return undefined;
    const { down, up, few, added } = this.adapter.get(layer);
    multiply(down.weight, SIDE * x.length, SIDE, x, few);
    multiply(up.weight, SIDE * few.length, SIDE, few, added);
    return added;
  }
}
