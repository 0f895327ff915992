// Settings that show something: what each changes in the settings chosen, and what to look for.
// tests/training/test_training_experiments.py holds each to its words.

const LINE = 6000;   // characters of a text of one line
const LITTLE = 3000;
export const SHOWN_BY = 1000;  // steps that each needs to show it, at most
const changed = (more) => ({ recipe }) => ({ recipe: { ...recipe, ...more(recipe) } });
const rate = (times) => changed(({ learning_rate }) => ({ learning_rate: learning_rate * times }));

// The loop of the first chapter: weights minus the rate times the gradient, and nothing else.
const bare = (learning_rate) => changed(() => ({ learning_rate, optimizer: "descent", clip: null, warmup: 0, final: 1 }));

export const EXPERIMENTS = {
  "rate-high": {
    label: "Rate too high", change: rate(100),
    look: "A hundred times the learning rate. The curve leaps up, even above guessing, and does not come down to counting pairs.",
  },
  "rate-low": {
    label: "Rate too low", change: rate(0.01),
    look: "A hundredth of the learning rate. The curve falls without a tremble, and so slowly that the steps run out.",
  },
  "batch-one": {
    label: "A batch of one", change: changed(() => ({ batch_size: 1 })),
    look: "One window a step. Steps are faster, the curve trembles more, and it ends higher.",
  },
  "no-warmup": {
    label: "No warm-up", change: changed(() => ({ warmup: 0 })),
    look: "The full learning rate from the first step on. The first steps throw the weights about, and with 28 thousand numbers or more the curve lags behind to the end.",
  },
  descent: {
    label: "Plain descent", change: changed(({ learning_rate }) => ({ optimizer: "descent", learning_rate: 100 * learning_rate })),
    look: "One rate for all numbers, no running means. At AdamW’s rate it would hardly move; here it has a hundred times that, the best that we found. It ends about where AdamW is half-way.",
  },
  "wide-start": {
    label: "Weights that start too large", change: () => ({ spread: 25 }),
    look: "First weights 25 times as large. The first loss is far worse than guessing, as the model is sure of what it made up; what that costs it does not make good.",
  },
  "repeated-line": {
    label: "One line, repeated", change: ({ text, title }) => ({ ...repeated(text), title: `${title}, one line of it again and again` }),
    look: "Nothing but one line. Both losses fall almost to 0, and whatever it writes is that line.",
  },
  "little-text": {
    label: "Too little text", change: ({ text, title }) => ({ text: [...text].slice(0, LITTLE).join(""), title: `${title}, its beginning alone` }),
    look: "The first 3,000 characters. The training loss goes on falling, the one on the text kept apart turns and rises.",
  },
  "too-small": {
    label: "Too small: 0.01", change: bare(0.01), alone: true,
    look: "Each step is so short that the steps run out long before the bottom.",
  },
  right: {
    label: "Right: 0.3", change: bare(0.3), alone: true,
    look: "The loss falls fast at first, then slowly. It jumps, because batches differ.",
  },
  "too-large": {
    label: "Too large: 3", change: bare(3), alone: true,
    look: "Steps overshoot and land higher, and the next are longer still: within some steps the loss is no number any more.",
  },
};

// As many steps as show it, of the settings given; and then one thing changed.
export const shortened = ({ recipe }) => ({ recipe: { ...recipe, steps: Math.min(recipe.steps, SHOWN_BY) } });
export const spoilt = ({ change }) => (order) => {
  const short = { ...order, ...shortened(order) };
  return { ...short, ...change(short) };
};

function repeated(text) {
  const line = text.split("\n").find((one) => one.trim().length > 15) ?? "To be, or not to be: that is the question.";
  return { text: `${line}\n`.repeat(Math.ceil(LINE / (line.length + 1))) };
}
