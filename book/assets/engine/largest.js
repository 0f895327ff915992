// The places of the largest numbers, the largest first; of equal ones the first.
export function largest(numbers, count) {
  const best = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === count && numbers[i] <= numbers[best[count - 1]]) continue;
    best.splice(best.findLastIndex((other) => numbers[other] >= numbers[i]) + 1, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
