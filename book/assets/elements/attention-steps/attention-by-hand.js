// Scaled dot-product attention written out, every step kept: plain lists of numbers, rows first.

const dot = (a, b) => a.reduce((total, x, i) => total + x * b[i], 0);
const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);

// q and k: T rows of D numbers, v: T rows. The steps in their order; `mask` and `scale` leave
// out step 3 and step 2. No maximum is taken off before exp, so that the numbers are those of
// the formula: scores must stay below some 700.
export function attentionByHand(q, k, v, { mask = true, scale = true } = {}) {
  const each = (rows, change) => rows.map((row, i) => row.map((x, j) => change(x, i, j)));
  const divisor = scale ? Math.sqrt(q[0].length) : 1;
  const products = q.map((query) => k.map((key) => dot(query, key)));
  const scores = each(products, (x) => x / divisor);
  const masked = each(scores, (x, i, j) => (mask && j > i ? -Infinity : x));
  const exponentials = each(masked, Math.exp);
  const sums = exponentials.map(sum);
  const weights = each(exponentials, (x, i) => x / sums[i]);
  const outputs = weights.map((row) => v[0].map((_, d) => dot(row, v.map((value) => value[d]))));
  return { divisor, products, scores, masked, exponentials, sums, weights, outputs };
}
