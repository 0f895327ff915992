// Files as one .zip, stored as they are: weights do not compress. The format is PKWARE's
// (APPNOTE.TXT); of it this writes a header before each file and a list of them at the end.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// numbers: [bytes each takes, value], little-endian.
function packed(numbers) {
  const bytes = [];
  for (const [size, value] of numbers) for (let i = 0; i < size; i++) bytes.push(Math.floor(value / 2 ** (8 * i)) % 256);
  return Uint8Array.from(bytes);
}

const DAY = (1 << 5) | 1;  // 1 January 1980, the first that there is: the same files are the same bytes

// files: {name: Uint8Array}, names in ASCII. Returns a Blob.
export function zip(files) {
  const parts = [];
  const list = [];
  let at = 0;
  for (const [name, data] of Object.entries(files)) {
    const path = new TextEncoder().encode(name);
    const about = [[2, 20], [2, 0], [2, 0], [2, 0], [2, DAY], [4, checksum(data)], [4, data.length], [4, data.length], [2, path.length], [2, 0]];
    parts.push(packed([[4, 0x04034b50], ...about]), path, data);
    list.push(packed([[4, 0x02014b50], [2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), path);
    at += 30 + path.length + data.length;
  }
  const length = list.reduce((sum, part) => sum + part.length, 0);
  const count = Object.keys(files).length;
  const end = packed([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, length], [4, at], [2, 0]]);
  return new Blob([...parts, ...list, end], { type: "application/zip" });
}
