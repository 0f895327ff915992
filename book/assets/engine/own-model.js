// A reader's own model, from files on their disk: nothing of it leaves the page.

import { inThousands, readSizes, readTokenizer } from "./model-folder.js";
import { ModelInWorker } from "./model-in-worker.js";

export const MOST_BYTES = 600e6;  // GPT-2's smallest, and no more: what a phone's browser still gives

// files: a Map of names to File. Resolves to what readSizes tells, if that fits the page.
export async function sizesOf(files) {
  const sizes = await readSizes(files);
  if (sizes.bytes <= MOST_BYTES) return sizes;
  throw new Error(`It has ${inThousands(sizes.numbers)} numbers and would need ${inBytes(sizes.bytes)} of memory; this page opens what needs up to ${inBytes(MOST_BYTES)}, as GPT-2’s smallest does: choose a smaller one`);
}

// signal: an AbortSignal, by which the reader gives up.
export function openModel(files, { config, weights }, report, signal) {
  return ModelInWorker.start(async (worker) => {
    signal.addEventListener("abort", () => worker.close());
    const tokenizer = await readTokenizer(files);
    await worker.ask("open", [{ config, files: weights, tokens: tokenizer.size }], report);
    return { config, tokenizer };
  });
}

export function inBytes(bytes) {
  if (bytes >= 1e8) return `${(bytes / 1e9).toFixed(1)}\u00a0GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(0)}\u00a0MB` : `${Math.ceil(bytes / 1e3)}\u00a0kB`;
}
