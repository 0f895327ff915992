// Settings that show something: what each changes in the settings chosen, and what to look for.

const LINE = 6000;   // characters of a text of one line
const LITTLE = 3000;
const rate = (times) => ({ recipe }) => ({ recipe: { ...recipe, learning_rate: recipe.learning_rate * times } });

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
    label: "A batch of one", change: ({ recipe }) => ({ recipe: { ...recipe, batch_size: 1 } }),
    look: "One window a step. Steps are faster, the curve trembles, and it ends higher.",
  },
  "no-warmup": {
    label: "No warm-up", change: ({ recipe }) => ({ recipe: { ...recipe, warmup: 0 } }),
    look: "The full learning rate from the first step on. The first steps throw the weights about, and the curve lags behind for long.",
  },
  "wide-start": {
    label: "Weights that start too large", change: () => ({ spread: 25 }),
    look: "First weights 25 times as large. The first loss is far worse than guessing, as the model is sure of what it made up.",
  },
  "repeated-line": {
    label: "One line, repeated", change: ({ text, title }) => ({ ...repeated(text), title: `${title}, one line of it again and again` }),
    look: "Nothing but one line. Both losses fall almost to 0, and whatever it writes is that line.",
  },
  "little-text": {
    label: "Too little text", change: ({ text, title }) => ({ text: [...text].slice(0, LITTLE).join(""), title: `${title}, its beginning alone` }),
    look: "The first 3,000 characters. The training loss goes on falling, the one on the text kept apart turns and rises.",
  },
};

function repeated(text) {
  const line = text.split("\n").find((one) => one.trim().length > 15) ?? "To be, or not to be: that is the question.";
  return { text: `${line}\n`.repeat(Math.ceil(LINE / (line.length + 1))) };
}
