// The steps of attention: which of attentionByHand's numbers each shows, and what it is called.

const STEPS = [
  { key: "products", title: "dot products q · k", short: "q · k" },
  { key: "scores", title: "divided by √D", short: "÷ √D" },
  { key: "masked", title: "the future masked", short: "mask" },
  { key: "exponentials", title: "exponentials", short: "exp" },
  { key: "weights", title: "weights: ÷ the sum", short: "÷ sum" },
  { key: "outputs", title: "outputs: weighted values", short: "output" },
];
const OFF = {
  scores: { title: "not divided by √D", short: "unscaled" },
  masked: { title: "nothing masked", short: "no mask" },
};

export const COUNT = STEPS.length;

// A step that is switched off says so.
export function namedSteps({ mask, scale }) {
  const off = { scores: !scale, masked: !mask };
  return STEPS.map((step) => (off[step.key] ? { ...step, ...OFF[step.key] } : step));
}

export const isTiny = (key) => key === "exponentials" || key === "weights";
