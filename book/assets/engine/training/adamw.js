// AdamW (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it, over numbers that stand in
// one row: their gradients, and what the steps before left of them, stand in rows as long.

export class AdamW {
  // parts: [{at, size, decays}], by which the weights are cut; matrices decay, vectors do not.
  constructor(weights, gradients, parts, { beta_1, beta_2, weight_decay }, means, squares) {
    Object.assign(this, { weights, gradients, parts, beta_1, beta_2, weight_decay, means, squares });
    this.steps = 0;
  }

  step(rate) {
    const { weights, gradients, means, squares, beta_1, beta_2 } = this;
    this.steps += 1;
    const size = rate / (1 - beta_1 ** this.steps);
    const root = Math.sqrt(1 - beta_2 ** this.steps);
    for (const { at, size: length, decays } of this.parts) {
      const kept = decays ? 1 - rate * this.weight_decay : 1;
      for (let i = at; i < at + length; i++) {
        const gradient = gradients[i];
        const mean = means[i] += (1 - beta_1) * (gradient - means[i]);
        const square = squares[i] = beta_2 * squares[i] + (1 - beta_2) * gradient * gradient;
        weights[i] = weights[i] * kept - size * mean / (Math.sqrt(square) / root + 1e-8);
      }
    }
  }
}

// Shorten a gradient that is longer than `longest`; returns how long it was.
export function clip(gradients, longest) {
  let squares = 0;
  for (let i = 0; i < gradients.length; i++) squares += gradients[i] * gradients[i];
  const length = Math.sqrt(squares);
  if (longest && length > longest) {
    const share = longest / (length + 1e-6);  // as torch's clip_grad_norm_
    for (let i = 0; i < gradients.length; i++) gradients[i] *= share;
  }
  return length;
}
