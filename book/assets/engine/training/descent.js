// Plain gradient descent, as torch.optim.SGD without momentum: one rate for all numbers, and no
// memory of the steps before.

export class Descent {
  steps = 0;

  constructor(weights, gradients) {
    Object.assign(this, { weights, gradients });
  }

  step(rate) {
    const { weights, gradients } = this;
    this.steps += 1;
    for (let i = 0; i < weights.length; i++) weights[i] -= rate * gradients[i];
  }
}
