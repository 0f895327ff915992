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
  const [best, worst] = [Math.max(...advantages), Math.min(...advantages)];
  const rare = right <= size / 2 ? "right" : "wrong";
  const pushed = `Answers above the mean become likelier, by up to ${fixed(best, "+")}, those below it less likely, down to ${fixed(worst, "+")}; together they sum to 0.`;
  const scale = divide
    ? ` Divided by ${fixed(spread)}: ${spread < 0.5 ? "a group of nearly equal rewards now counts as much as one of halves" : "a group of halves is made larger too, but less than others"}.`
    : ` The ${rare} ones are the fewer, so each of them is moved further.`;
  return pushed + (right * 2 === size && !divide ? " Half of them are right, so all are moved alike." : scale) + (beta ? " The penalty is taken off first." : "");
}
