// The steps around a tokenizer's model that a tokenizer.json names: those that the page takes, and
// a refusal in words of any that would give other ids (minigpt/tokenizer/tokenizer_reading.py).

// One regular expression as it is written in minigpt, by transformers, by OpenAI.
const GPT2_PATTERNS = [
  String.raw`'(?:[sdmt]|ll|ve|re)| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
];
const MODEL = ["dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"];

const shown = (value) => JSON.stringify(value).slice(0, 200);

// decoder: the type of the last step, which joins the tokens' texts.
export function refuseOtherSteps(contents, decoder) {
  for (const name of MODEL) {
    if (contents.model[name]) throw new Error(`its ${name} is ${shown(contents.model[name])}; this page has none: choose a model with GPT-2’s kind of tokenizer`);
  }
  for (const name of ["truncation", "padding", "normalizer"]) {
    if (contents[name]) throw new Error(`its ${name} is ${shown(contents[name])}; this page has none: set it to null there if texts need none`);
  }
  if (addsTokens(contents.post_processor)) throw new Error("its post_processor adds tokens around the text; this page adds none: set it to null there if texts need none");
  const { type } = contents.decoder ?? { type: decoder };
  if (type !== decoder) throw new Error(`its decoder is ${shown(contents.decoder)}; this page has ${decoder} only: choose a model with GPT-2’s kind of tokenizer`);
}

// Whether the last step puts tokens around the text; transformers writes one that does not.
function addsTokens(step) {
  if (!step || step.type === "ByteLevel") return false;
  if (step.type === "Sequence") return (step.processors ?? [undefined]).some((one) => one === undefined || addsTokens(one));
  return !(step.type === "TemplateProcessing" && step.single?.length === 1 && "Sequence" in step.single[0]);
}

const isSplit = (step, patterns) => step?.type === "Split" && patterns.includes(step.pattern?.Regex) && step.behavior === "Isolated" && !step.invert;

export const cutsIntoCharacters = (step) => isSplit(step, ["[\\s\\S]"]);

// True where texts are cut as GPT-2 does, false where they stay whole.
export function cutsIntoWords(step) {
  const steps = step?.type === "Sequence" ? step.pretokenizers ?? [] : [step];
  const last = steps.at(-1);
  if (last?.type === "ByteLevel" && last.add_prefix_space === false) {
    const { use_regex: byItself = true } = last;
    if (steps.length === 1) return byItself;
    if (steps.length === 2 && isSplit(steps[0], GPT2_PATTERNS) && !byItself) return true;
  }
  throw new Error(`it cuts words by ${shown(step ?? null)}; this page cuts them by GPT-2’s regular expression, without a space put in front: choose a model whose tokenizer does`);
}
