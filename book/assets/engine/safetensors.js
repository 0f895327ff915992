// Reads a safetensors file, the format in which PyTorch models are stored: 8 bytes with the
// length of a header, the header as JSON (type, shape and place of every tensor), and then the
// numbers of all tensors, little-endian as browsers have them too.

const READERS = {
  F32: Float32Array, F16: Uint16Array, BF16: Uint16Array, F64: Float64Array,
  I32: Int32Array, I16: Int16Array, I8: Int8Array, U16: Uint16Array, U8: Uint8Array,
};

// source: an ArrayBuffer, or what has its `byteLength` and `slice`. Returns {name: {name, shape,
// data}}. Floats become a Float32Array, integers keep their type. The numbers of a tensor are read
// anew whenever its `data` is asked for, so that no more than one needs room.
export function readSafetensors(source) {
  const { header, numbersAt } = readHeader(source);
  const room = source.byteLength - numbersAt;
  const tensors = {};
  for (const [name, tensor] of Object.entries(header ?? {})) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets } = tensor;
    if (!Array.isArray(shape) || !Array.isArray(data_offsets)) throw wrong(`${name} has no shape or no place`);
    const [start, end] = data_offsets;
    if (end > room) throw wrong(`${name} ends at byte ${end}, but there are ${room}: the file is truncated`);
    const Reader = READERS[dtype];
    const size = Reader && shape.reduce((product, n) => product * n, Reader.BYTES_PER_ELEMENT);
    if (Reader && end - start !== size) throw wrong(`${name} of shape [${shape}] takes ${size} bytes, not ${end - start}`);
    tensors[name] = {
      name, shape,
      get data() {
        if (!Reader) throw wrong(`${name} is of type ${dtype}; known are ${Object.keys(READERS).join(", ")}`);
        const data = new Reader(source.slice(numbersAt + start, numbersAt + end));  // a copy starts where its type needs it
        return FLOATS[dtype]?.(data) ?? data;
      },
    };
  }
  return tensors;
}

// What a file says of itself.
export const metadataOf = (source) => readHeader(source).header?.__metadata__ ?? {};

const wrong = (what) => new Error(`not a safetensors file that can be read: ${what}`);

function readHeader(source) {
  if (source.byteLength < 8) throw wrong(`it has only ${source.byteLength} bytes`);
  const length = Number(new DataView(source.slice(0, 8)).getBigUint64(0, true));
  if (length > source.byteLength - 8) {
    throw wrong(`its header should have ${length} bytes, but ${source.byteLength - 8} follow`);
  }
  try {
    return {
      header: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(source.slice(8, 8 + length))),
      numbersAt: 8 + length,
    };
  } catch {
    throw wrong("its header is not JSON");
  }
}

const FLOATS = {
  F64: (data) => new Float32Array(data),
  F16: (data) => new Float32Array(data).map(half),
  // The upper half of a 32-bit float.
  BF16: (data) => new Float32Array(new Uint32Array(data).map((bits) => bits << 16).buffer),
};

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
