// Reads a safetensors file, the format in which PyTorch models are stored: 8 bytes with the
// length of a header, the header as JSON (type, shape and place of every tensor), and then the
// numbers of all tensors, little-endian as browsers have them too.

const READERS = {
  F32: Float32Array, F16: Uint16Array, I32: Int32Array, I16: Int16Array, I8: Int8Array, U16: Uint16Array, U8: Uint8Array,
};

// buffer: an ArrayBuffer. Returns {name: {shape, data}}. 16-bit floats become a Float32Array,
// integers keep their type.
export function readSafetensors(buffer) {
  const wrong = (what) => new Error(`not a safetensors file that can be read: ${what}`);
  if (buffer.byteLength < 8) throw wrong(`it has only ${buffer.byteLength} bytes`);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > buffer.byteLength - 8) {
    throw wrong(`its header should have ${length} bytes, but ${buffer.byteLength - 8} follow`);
  }
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  } catch {
    throw wrong("its header is not JSON");
  }
  const numbers = buffer.slice(8 + length);
  const tensors = {};
  for (const [name, tensor] of Object.entries(header ?? {})) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets } = tensor;
    if (!Array.isArray(shape) || !Array.isArray(data_offsets)) throw wrong(`${name} has no shape or no place`);
    const [start, end] = data_offsets;
    const Reader = READERS[dtype];
    if (!Reader) throw wrong(`${name} is of type ${dtype}; known are ${Object.keys(READERS).join(", ")}`);
    if (end > numbers.byteLength) {
      throw wrong(`${name} ends at byte ${end}, but there are ${numbers.byteLength}: the file is truncated`);
    }
    const size = shape.reduce((product, n) => product * n, Reader.BYTES_PER_ELEMENT);
    if (end - start !== size) throw wrong(`${name} of shape [${shape}] takes ${size} bytes, not ${end - start}`);
    const data = new Reader(numbers.slice(start, end));  // a copy starts where its type needs it
    tensors[name] = { shape, data: dtype === "F16" ? new Float32Array(data).map(half) : data };
  }
  return tensors;
}

const POWERS = Float32Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 15));

// The value of a 16-bit float: 1 bit sign, 5 bits exponent, 10 bits fraction.
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction) * POWERS[exponent];
}
