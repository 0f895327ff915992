// Why a run does not begin, or stopped, and what the reader can do.

import { whatFailed } from "../../parts/what-failed.js";

export function whyNoRun(error) {
  // What the text, a setting or a beginning cannot be is said in its own words.
  if (error.name !== "Error" || /allocation|memory/i.test(error.message)) return whatFailed("the trainer", error, "press the button again");
  const words = error.message[0].toUpperCase() + error.message.slice(1);
  return /[.?!]$/.test(words) ? words : `${words}.`;
}
