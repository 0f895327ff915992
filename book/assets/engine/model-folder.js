// A model's folder as minigpt and transformers write it: which of its files are read, and what
// may be there in their place (minigpt/exchange/weight_files.py, minigpt/tokenizer/tokenizer_folder.py).

import { gptConfig, gptCosts } from "./gpt-config.js";
import { tokenizerOf } from "./tokenizer-files.js";
import { BYTES } from "./tokenizer-json.js";

const WEIGHTS = "model.safetensors";
export const inThousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const PICKLE = "is a pickle, which could run code, so it is not opened: where you trust it, transformers’ AutoModelForCausalLM.from_pretrained opens the folder, and save_pretrained writes it in safetensors";
// What may be there in place of the weights, and what to do with it.
const OTHERS = [
  [/^adapter_config\.json$/, "is a LoRA adapter’s: join it with its model by peft’s merge_and_unload, and save that"],
  [/\.bin$/, PICKLE],
  [/\.(pt|pth|ckpt)$/, "is a pickle, which could run code, so it is not opened: torch.load opens it, and safetensors.torch.save_file writes its tensors"],
  [/\.gguf$/, "is llama.cpp’s: fetch the model in safetensors"],
  [/^int8\.safetensors$/, "is minigpt’s of 8 bits: minigpt.exchange.int8_file.load_int8 opens it, and minigpt.exchange.save writes what this page opens"],
  [/^model-\d+-of-\d+\.safetensors$/, "is a part: choose all parts, with model.safetensors.index.json, which names them"],
  [/^(?!model\.safetensors$).*\.safetensors$/, `has another name: call it ${WEIGHTS}`],
];
// What may be there in place of the tokenizer.
const OTHER_TOKENIZERS = [
  [/^vocab\.txt$/, "is a WordPiece tokenizer’s, which this page does not have: choose a model with GPT-2’s kind"],
  [/\.model$/, "is a SentencePiece tokenizer’s, which this page does not have: choose a model with GPT-2’s kind"],
  [/^(vocab|encoder)\.json$/, "needs its merges beside it, merges.txt: choose that too"],
];
// Vocabulary and merges in a file each: transformers' names, and OpenAI's own.
const PAIRS = [["vocab.json", "merges.txt"], ["encoder.json", "vocab.bpe"]];
// What no merge makes is a special token if it looks like one; else the merges were cut short.
const LOOKS_SPECIAL = /^(<.+>|\[.+\])$/;

// files: a Map of names to File. Resolves to {config, numbers, bytes, weights}: what config.json
// says, what the model costs here (gptCosts), and the Files of its weights. Nothing of them is read.
export async function readSizes(files) {
  const settings = await json(files, "config.json") ?? missing("config.json", files, OTHERS.slice(0, -2));
  const config = inFile("config.json", () => gptConfig(settings));
  const weights = await weightFiles(files);
  const { numbers, bytes } = gptCosts(config);
  const held = weights.reduce((sum, { size }) => sum + size, 0);
  if (numbers > held) {
    throw new Error(`${weights[0].name} is no whole file of the sizes in config.json: they ask for ${inThousands(numbers)} numbers, and there are ${inThousands(held)} bytes. Is it cut short, or do the two not belong together?`);
  }
  return { config, numbers, bytes, weights };
}

// One file, or the parts that an index names; with both, as in transformers, the one file counts.
async function weightFiles(files) {
  if (files.has(WEIGHTS)) return [files.get(WEIGHTS)];
  const index = await json(files, `${WEIGHTS}.index.json`);
  if (!index) missing(WEIGHTS, files, OTHERS);
  const parts = [...new Set(Object.values(index.weight_map ?? {}))];
  if (!parts.length) throw new Error(`${WEIGHTS}.index.json has no weight_map that names the weights’ files: fetch or save it again`);
  return parts.map((name) => files.get(name) ?? missing(name, files, []));
}

// Resolves to the folder's tokenizer.
export async function readTokenizer(files) {
  const pair = PAIRS.find((names) => names.every((name) => files.has(name)));
  const name = files.has("tokenizer.json") ? "tokenizer.json" : pair?.[0] ?? missing("tokenizer.json", files, OTHER_TOKENIZERS);
  let contents = await json(files, name);
  if (name !== "tokenizer.json") {
    const merges = await files.get(pair[1]).text();
    contents = inFile(pair[1], () => paired(contents, mergesOf(merges)));
  }
  const added = await addedTokens(files);
  contents.added_tokens = [...new Map([...contents.added_tokens ?? [], ...added].map((token) => [token.content, token])).values()];
  return inFile(name, () => tokenizerOf(contents));
}

// Two tokens a line, by rank.
function mergesOf(text) {
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (!line || (i === 0 && line.startsWith("#version"))) return [];
    const pair = line.split(" ");
    if (pair.length !== 2 || pair.includes("")) throw new Error(`its line ${i + 1}, “${line}”, is no merge, such as “Ġ t”: is the file damaged?`);
    return [pair];
  });
}

// As GPT-2's tokenizer.json holds them.
function paired(vocab, merges) {
  const made = new Set([...BYTES.keys(), ...merges.map((pair) => pair.join(""))]);
  const special = Object.keys(vocab).filter((text) => !made.has(text) && LOOKS_SPECIAL.test(text));
  return {
    added_tokens: special.map((content) => ({ id: vocab[content], content, special: true })),
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    model: { type: "BPE", vocab, merges },
  };
}

// Those that the files beside a tokenizer name.
async function addedTokens(files) {
  const texts = await json(files, "added_tokens.json") ?? {};
  const settings = await json(files, "tokenizer_config.json") ?? {};
  if (settings.add_prefix_space) {
    throw new Error("tokenizer_config.json sets add_prefix_space, by which a text would begin with a space; this page adds none: set it to false if the text needs none");
  }
  return [
    ...Object.entries(texts).map(([content, id]) => ({ id, content, special: true })),
    ...Object.entries(settings.added_tokens_decoder ?? {}).map(([id, token]) => ({ ...token, id: Number(id) })),
  ];
}

// What a file of JSON holds, an object; undefined where there is no such file.
async function json(files, name) {
  const text = await files.get(name)?.text();
  if (text === undefined) return undefined;
  return inFile(name, () => {
    let contents;
    try {
      contents = JSON.parse(text);
    } catch (error) {
      throw new Error(`it is not JSON, or not all of it (${error.message}): fetch or save it again`);
    }
    if (Object(contents) !== contents || Array.isArray(contents)) throw new Error("it holds no object: fetch or save it again");
    return contents;
  });
}

function inFile(name, read) {
  try {
    return read();
  } catch (error) {
    throw Object.assign(new Error(`${name}: ${error.message}`), { name: error.name });
  }
}

function missing(name, files, others) {
  for (const [pattern, advice] of others) {
    const found = [...files.keys()].sort().find((file) => pattern.test(file));
    if (found) throw new Error(`There is no ${name}; ${found} ${advice}`);
  }
  throw new Error(`There is no ${name}: choose it too, or the folder that has it. A model is config.json, ${WEIGHTS} and tokenizer.json`);
}
