// What a group of sampled answers teaches: the advantage of each, its reward less the group's mean.

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

// A penalty for having left the reference: β times how much likelier the answer became.
export const penalised = (answers, beta) => answers.map(({ reward, logprob, reference }) => reward - beta * (logprob - reference));

// `equal` where nothing tells the answers apart. `spread` is the root of the mean square.
export function groupAdvantages(rewards, divide) {
  const middle = mean(rewards);
  const equal = Math.max(...rewards) === Math.min(...rewards);
  const plain = rewards.map((reward) => (equal ? 0 : reward - middle));
  const spread = Math.sqrt(mean(plain.map((x) => x * x)));
  return { mean: middle, spread, equal, advantages: divide && !equal ? plain.map((x) => x / spread) : plain };
}
