// DPO's loss of one pair of answers (Rafailov et al. 2023, equation 7).

// chosen, rejected: how much more probable each answer is by the model than by the reference, as
// natural logarithms. The push is the size of the gradient with respect to either logarithm: it
// lifts the chosen answer and presses the rejected one down.
export function dpo(chosen, rejected, beta) {
  const margin = beta * (chosen - rejected);
  const small = Math.exp(-Math.abs(margin));  // never too large for a float
  const agreement = margin < 0 ? small / (1 + small) : 1 / (1 + small);
  const doubt = margin < 0 ? 1 / (1 + small) : small / (1 + small);
  return { margin, agreement, loss: Math.max(-margin, 0) + Math.log1p(small), push: beta * doubt };
}
