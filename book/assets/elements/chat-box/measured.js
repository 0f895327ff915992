// What the adapter knows, and how often it is right: measured with the package, and written when
// the site is (book/_ext/site/play_finder_file.py).

import { fetchedJson } from "../../engine/fetched.js";
import { number } from "../../parts/token-chips.js";

const FILE = new URL("../../results/play-finder.json", import.meta.url);
const share = ({ right, asked }) => `${Math.round(100 * right / asked)}\u00a0% of ${number(asked)}`;

export const KNOWS = "It knows one kind of question: in which of Shakespeare’s plays a character speaks. To any other question it names a play too.";

// Resolves to a sentence with the measured shares of right answers.
export async function measured() {
  const { told, unheard, never } = await fetchedJson(FILE);
  return `Measured: right on ${share(told)} questions about characters that it was told of, `
    + `on ${share(unheard)} in words that it never heard, and on ${share(never)} about characters never told.`;
}
