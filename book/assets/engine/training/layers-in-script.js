// What a GPT does with its numbers besides multiplying matrices, and the way back through it. Every
// place is an index of `floats`, and rows follow each other. layers.wat does the same, four numbers
// at a time, where the browser has WebAssembly.

const BEND = Math.sqrt(2 / Math.PI);

export const layersInScript = (floats) => ({
  // y = GELU(x), by the tanh that GPT-2 takes, and its slope, which may take x's place.
  gelu(x, y, slope, count) {
    for (let j = 0; j < count; j++) {
      const v = floats[x + j];
      // tanh by way of exp, which is faster and, in 64 bits, the same to 1e-15.
      const t = 1 - 2 / (Math.exp(2 * BEND * (v + 0.044715 * v * v * v)) + 1);
      floats[y + j] = 0.5 * v * (1 + t);
      floats[slope + j] = 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * BEND * (1 + 3 * 0.044715 * v * v);
    }
  },

  multiply(y, x, count) {
    for (let j = 0; j < count; j++) floats[y + j] *= floats[x + j];
  },

  add(y, x, count) {
    for (let j = 0; j < count; j++) floats[y + j] += floats[x + j];
  },

  // Adds the sum of all rows of x.
  addRows(to, x, rows, width) {
    for (let n = 0; n < rows; n++) for (let c = 0; c < width; c++) floats[to + c] += floats[x + n * width + c];
  },

  // Each row with mean 0 and variance 1, then stretched and moved; keeps 1 / its deviation.
  normalise(x, y, scales, weight, bias, rows, width) {
    for (let n = 0; n < rows; n++) {
      const row = x + n * width;
      let [mean, variance] = [0, 0];
      for (let c = 0; c < width; c++) mean += floats[row + c] / width;
      for (let c = 0; c < width; c++) variance += (floats[row + c] - mean) ** 2 / width;
      const scale = floats[scales + n] = 1 / Math.sqrt(variance + 1e-5);
      for (let c = 0; c < width; c++) floats[y + n * width + c] = (floats[row + c] - mean) * scale * floats[weight + c] + floats[bias + c];
    }
  },

  // From the gradient of y, `dy`: adds what belongs to the gradients of x, the weight and the bias.
  normaliseBack(x, scales, weight, dweight, dbias, dy, dx, rows, width) {
    for (let n = 0; n < rows; n++) {
      const [row, scale] = [n * width, floats[scales + n]];
      let mean = 0;
      for (let c = 0; c < width; c++) mean += floats[x + row + c] / width;
      let [all, along] = [0, 0];  // the means of the gradient, and of it times the row
      for (let c = 0; c < width; c++) {
        const normal = (floats[x + row + c] - mean) * scale;
        const d = floats[dy + row + c];
        floats[dweight + c] += d * normal;
        floats[dbias + c] += d;
        all += d * floats[weight + c] / width;
        along += d * floats[weight + c] * normal / width;
      }
      for (let c = 0; c < width; c++) {
        const normal = (floats[x + row + c] - mean) * scale;
        floats[dx + row + c] += scale * (floats[dy + row + c] * floats[weight + c] - all - normal * along);
      }
    }
  },

  // A row becomes its softmax times `share`. Returns ln of the sum of e to the power of its numbers.
  softmax(at, n, share) {
    let [best, total] = [-Infinity, 0];
    for (let i = 0; i < n; i++) best = Math.max(best, floats[at + i]);
    for (let i = 0; i < n; i++) total += floats[at + i] = Math.exp(floats[at + i] - best);
    for (let i = 0; i < n; i++) floats[at + i] *= share / total;
    return best + Math.log(total);
  },

  // Scores of T tokens for T tokens become weights: the softmax of those that are not in the future.
  weigh(at, length, scale) {
    for (let t = 0; t < length; t++) {
      const row = at + t * length;
      let [best, total] = [-Infinity, 0];
      for (let s = 0; s <= t; s++) best = Math.max(best, floats[row + s]);
      for (let s = 0; s <= t; s++) total += floats[row + s] = Math.exp((floats[row + s] - best) * scale);
      for (let s = 0; s <= t; s++) floats[row + s] /= total;
      floats.fill(0, row + t + 1, row + length);
    }
  },

  // The gradient of the weights, `d`, becomes that of the scores.
  weighBack(weights, d, length, scale) {
    for (let t = 0; t < length; t++) {
      const row = t * length;
      let along = 0;
      for (let s = 0; s < length; s++) along += floats[d + row + s] * floats[weights + row + s];
      for (let s = 0; s < length; s++) floats[d + row + s] = floats[weights + row + s] * (floats[d + row + s] - along) * scale;
    }
  },
});
