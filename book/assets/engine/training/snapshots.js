// When a run is looked at, and what is kept of its weights at these steps, so that a reader can go
// back to them: in this memory alone, and no more of it than is told.

const MOST = 64 * 2 ** 20;  // bytes

// look: steps between two looks. inside: also after 1, 2, 5, 10, 20, 50 … steps, as most happens
// at the beginning.
export function lookSteps({ steps, look, inside }) {
  const found = new Set([0, steps]);
  for (let step = look; step < steps; step += look) found.add(step);
  for (let power = 1; inside && power < steps; power *= 10) {
    for (const digit of [1, 2, 5]) if (digit * power < steps) found.add(digit * power);
  }
  return [...found].sort((a, b) => a - b);
}

// Those of them at which the weights are kept: every one, every second … as memory allows.
// numbers: of the model. Returns {steps, bytes}.
export function snapshotSteps(wish, numbers) {
  const all = wish.inside ? lookSteps(wish) : [];
  for (let every = 1; ; every += 1) {
    const steps = all.filter((_, i) => i % every === 0 || i === all.length - 1);
    const bytes = 4 * numbers * steps.length;
    if (bytes <= MOST || steps.length <= 2) return { steps, bytes };
  }
}

export class Snapshots {
  constructor(wish, numbers) {
    this.due = new Set(snapshotSteps(wish, numbers).steps);
    this.weights = new Map();
  }

  // weights: as they are; a copy is kept.
  take(step, weights) {
    if (this.due.has(step)) this.weights.set(step, weights.slice());
  }

  // What is kept of the step, or of the one closest to it: {step, weights}.
  near(step) {
    const [closest] = [...this.weights.keys()].sort((a, b) => Math.abs(a - step) - Math.abs(b - step) || a - b);
    return closest === undefined ? undefined : { step: closest, weights: this.weights.get(closest) };
  }
}
