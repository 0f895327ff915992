// What is said of a group before the reader looks, and then.

export function guess(size, right) {
  if (!right) return `None of the ${size} is right. What will the model learn from them? Guess, then look.`;
  if (right === size) return `All ${size} are right. What will the model learn from them? Guess, then look.`;
  return "Which answers will become likelier, which less likely, and which of them move the most? Guess, then look.";
}

export function tell({ answers, advantages, equal, divide, beta, right, spread, fixed }) {
  const size = answers.length;
  const alike = right === 0 || right === size;
  if (equal) {
    const all = right === size ? "right" : "wrong";
    return `All ${size} are ${all}, all rewards are equal, and so every advantage is 0: nothing is learned from this group.`;
  }
  if (alike) {
    return `All ${size} have the same reward before the penalty: what is left only pulls the model back to where it started, hardest from the answers that it moved to most.`;
  }
  const [best, worst] = [Math.max(...advantages), Math.min(...advantages)].map((x) => fixed(x, "+"));
  if (beta) {
    return `With the penalty taken off, the answers above the mean get up to ${best} and are pushed up, those below it ${worst} at most and are pushed down. `
      + "A right answer that the model has moved to already is lifted less.";
  }
  const moved = `Each right answer gets ${best} and is pushed up, each wrong one ${worst} and is pushed down; all ${size} sum to 0.`;
  if (divide) return `${moved} Divided by the spread, ${fixed(spread)}, a group with few right answers, or few wrong ones, pulls as hard as one of halves.`;
  const fewer = right * 2 < size ? "right" : "wrong";
  return `${moved} ${right * 2 === size ? "They are as many, so all move alike." : `The ${fewer} ones are fewer, so each of them is moved further.`}`;
}
