// A matrix times a vector. JavaScript has no instruction for several products at once, so what
// counts is how the numbers come from memory: eight rows are stored side by side, the first number
// of each, then the second of each, and so on. They are read in one pass from front to back, and
// go into eight sums: a processor adds to one while another's product is still on its way.

export const SIDE = 8;

// numbers: row after row, `width` in each. take: gives so many numbers of room. Returns {weight,
// rows}, with the rows side by side.
export function matrix(numbers, width, take) {
  const rows = numbers.length / width;
  const weight = take(roomFor(rows, width));
  for (let row = 0; row < rows; row++) putRow(weight, row, numbers.subarray(row * width, (row + 1) * width));
  return { weight, rows };
}

// Numbers that so many rows take: the last of the eight may be missing.
export const roomFor = (rows, width) => Math.ceil(rows / SIDE) * SIDE * width;

export function putRow(weight, row, numbers) {
  const place = row % SIDE;
  const start = (row - place) * numbers.length + place;
  for (let i = 0; i < numbers.length; i++) weight[start + SIDE * i] = numbers[i];
}

export function takeRow(weight, row, width) {
  const place = row % SIDE;
  const start = (row - place) * width + place;
  return Float32Array.from({ length: width }, (_, i) => weight[start + SIDE * i]);
}

// out[row] = row · x, added up in 64 bits, eight rows at a time. What eight rows have for one
// number of x lies side by side, for the number after it `step` further on, and the eight rows
// after them begin `next` further on. Rows beyond the end of `out` are computed and dropped: a
// typed array ignores what is written behind its end.
export function multiply(weight, next, step, x, out) {
  const width = x.length;
  for (let row = 0, start = 0; row < out.length; row += SIDE, start += next) {
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let i = 0, j = start; i < width; i++, j += step) {
      const value = x[i];
      a += value * weight[j];
      b += value * weight[j + 1];
      c += value * weight[j + 2];
      d += value * weight[j + 3];
      e += value * weight[j + 4];
      f += value * weight[j + 5];
      g += value * weight[j + 6];
      h += value * weight[j + 7];
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
    out[row + 4] = e;
    out[row + 5] = f;
    out[row + 6] = g;
    out[row + 7] = h;
  }
}
