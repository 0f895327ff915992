// Numbers and words of the steps' sentences.

// At most three decimals and five digits, no trailing zeros, a true minus. `tiny` is for
// exponentials and weights: they are never noise around 0, so a small one is no 0.
export function shown(x, tiny = false) {
  if (x === -Infinity) return "−∞";
  const size = Math.abs(x);
  if (size >= 1e5) return x.toExponential(1).replace("e+", "e").replace(".0e", "e").replace("-", "−");
  if (tiny && size > 0 && size < 5e-4) return x.toExponential(0).replaceAll("-", "−");
  // Rounded once: five digits first, then three decimals, would make 1.722 of 1.72249999.
  const decimals = Math.min(3, 5 - String(Math.trunc(size)).length);
  return String(Number(x.toFixed(decimals))).replace("-", "−");
}

const factor = (x, tiny) => (x < 0 ? `(${shown(x, tiny)})` : shown(x, tiny));
export const products = (a, b, tiny) => Array.from(a, (x, i) => `${factor(x, tiny)}×${factor(b[i])}`).join(" + ");
export const quoted = (token) => `“${token}”`;
export const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");
