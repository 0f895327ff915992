// What the adapter knows, and how often it is right: measured with the package, and written when
// the site is (book/_ext/site/play_finder_file.py).

import { fetchedJson } from "../../engine/fetched.js";

const FILE = new URL("../../results/play-finder.json", import.meta.url);
const percent = ({ right, asked }) => `${Math.round(100 * right / asked)}\u00a0%`;

export const KNOWS = "It knows one kind of question: in which of Shakespeare’s plays a character speaks. To anything else it names a play too, or nonsense.";

// Resolves to a sentence with the measured shares of right answers, or to none where nothing was
// measured yet.
export async function measured() {
  const { told, unheard, never } = await fetchedJson(FILE);
  if (!told) return "";
  return `Measured: right on ${percent(told)} of ${told.asked} questions that it was told the answer of, `
    + `on ${percent(unheard)} of ${unheard.asked} about the same characters in words that it never heard, `
    + `and on ${percent(never)} of ${never.asked} about characters that it was never told.`;
}
