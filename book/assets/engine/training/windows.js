// Windows of a text, as in minigpt/training/windows.py: every epoch cuts the text anew, from a
// random place on, and deals out its windows in a random order. What a step reads follows from the
// seed and the step alone, so a run that goes on after a break needs no memory of what it has read.

import { randomNumbers } from "../sampling.js";

export class Windows {
  constructor(ids, length, seed) {
    if (ids.length < length + 1) throw new Error(`the text has ${ids.length} tokens; a window of ${length} needs ${length + 1}`);
    Object.assign(this, { ids, length, seed });
    this.perEpoch = Math.max(1, Math.floor((ids.length - length) / length));
  }

  // {inputs, targets}: ids, window after window; each target is the token after its input.
  batch(step, size) {
    const starts = Array.from({ length: size }, (_, i) => this.start(step * size + i));
    const take = (shift) => Int32Array.from({ length: size * this.length }, (_, n) =>
      this.ids[starts[Math.floor(n / this.length)] + n % this.length + shift]);
    return { inputs: take(0), targets: take(1) };
  }

  start(number) {
    const epoch = Math.floor(number / this.perEpoch);
    if (this.dealt?.epoch !== epoch) {
      const chance = randomNumbers(Math.imul(this.seed, 0x9e3779b1) + epoch);
      const spare = this.ids.length - 1 - this.perEpoch * this.length;
      this.dealt = { epoch, offset: Math.floor(chance() * (spare + 1)), order: shuffled(this.perEpoch, chance) };
    }
    return this.dealt.offset + this.dealt.order[number % this.perEpoch] * this.length;
  }
}

function shuffled(count, chance) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
