// A trained model as the folder that minigpt and transformers open: config.json, model.safetensors
// and tokenizer.json, as minigpt/exchange/checkpoint.py writes them.

import { gpt2Name, TRANSPOSED, transpose } from "../gpt-weights.js";
import { BYTES } from "../tokenizer-json.js";

const GPT2_PATTERN = String.raw`'(?:[sdmt]|ll|ve|re)| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const ANY_CHARACTER = String.raw`[\s\S]`;
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };

// model: a TrainedGPT, or what of it is named here. Returns {name: Uint8Array}.
export function modelFiles({ config, weights, tensors }, tokenizer) {
  const stored = tensors.map(({ name, shape, at, size }) => {
    const numbers = weights.slice(at, at + size);
    const theirs = gpt2Name(name);
    return TRANSPOSED.test(theirs)
      ? { name: theirs, shape: [...shape].reverse(), data: transpose(numbers, shape) }
      : { name: theirs, shape, data: numbers };
  });
  return {
    "config.json": asJson(settingsOf(config)),
    "model.safetensors": safetensors(stored, { format: "pt", n_head: String(config.n_head) }),
    "tokenizer.json": asJson(tokenizerContents(tokenizer)),
  };
}

function settingsOf({ vocab_size, n_positions, n_layer, n_head, n_embd }) {
  return {
    architectures: ["GPT2LMHeadModel"], model_type: "gpt2", activation_function: "gelu_new", layer_norm_epsilon: 1e-5,
    scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false, add_cross_attention: false,
    vocab_size, n_positions, n_layer, n_head, n_embd, resid_pdrop: 0.0, embd_pdrop: 0.0, attn_pdrop: 0.0,
    bias: true, tie_word_embeddings: true, dtype: "float32", bos_token_id: null, eos_token_id: null,
  };
}

function tokenizerContents(tokenizer) {
  const split = (pattern) => ({ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false });
  const whole = (model, pre_tokenizer, decoder) => ({
    version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null,
    pre_tokenizer, post_processor: null, decoder, model,
  });
  if (tokenizer.characters) {
    const vocab = new Map(tokenizer.characters.map((character, id) => [character, id]));
    return whole({ type: "WordLevel", vocab, unk_token: "" }, split(ANY_CHARACTER), { type: "Fuse" });
  }
  const visible = new Map([...BYTES].map(([character, byte]) => [byte, character]));
  const written = Array.from({ length: tokenizer.size }, (_, id) => Array.from(tokenizer.tokenBytes(id), (byte) => visible.get(byte)).join(""));
  const { merges } = tokenizer;
  const model = {
    type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
    fuse_unk: false, byte_fallback: false, ignore_merges: false,
    vocab: new Map(written.map((token, id) => [token, id])),
    merges: Array.from({ length: merges.length / 2 }, (_, k) => [written[merges[2 * k]], written[merges[2 * k + 1]]]),
  };
  return whole(model, { type: "Sequence", pretokenizers: [split(GPT2_PATTERN), BYTE_LEVEL] }, BYTE_LEVEL);
}

// Eight bytes with the length of a header, the header in JSON, padded to whole eights, the numbers.
function safetensors(tensors, metadata) {
  let at = 0;
  const header = { __metadata__: metadata };
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at += data.byteLength] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const room = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + room + at).fill(0x20, 8, 8 + room);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(room), true);
  bytes.set(text, 8);
  let to = 8 + room;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to);
    to += data.byteLength;
  }
  return bytes;
}

// As Python's json.dumps(…, indent=1) writes it. A Map keeps the order of its keys, where an object
// would bring digits to the front.
const asJson = (value) => new TextEncoder().encode(`${written(value, "\n")}\n`);

function written(value, end) {
  const inner = `${end} `;
  if (Array.isArray(value)) return value.length ? `[${value.map((one) => inner + written(one, inner)).join(",")}${end}]` : "[]";
  if (value !== null && typeof value === "object") {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return entries.length ? `{${entries.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${written(one, inner)}`).join(",")}${end}}` : "{}";
  }
  return JSON.stringify(value);
}
