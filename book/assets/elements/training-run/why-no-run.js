// Why a run does not begin, or stopped, and what the reader can do.

import { whatFailed } from "../../parts/what-failed.js";

export function whyNoRun(error) {
  // What the text, a setting or a beginning cannot be is said in its own words.
  if (error.name !== "Error" || /allocation|memory/i.test(error.message)) return whatFailed("the trainer", error, "press the button again");
  const words = error.message[0].toUpperCase() + error.message.slice(1);
  return /[.?!]$/.test(words) ? words : `${words}.`;
}

// Why a run is not kept, and what that means. step: of what is kept of it, or nothing.
export function whyNotKept({ name, message }, step) {
  const why = name === "QuotaExceededError" ? "This device has no room left for what the browser keeps" : `This browser keeps nothing (${message})`;
  return `${why}: ${step ? `of this run it has step ${step}, and what comes after is lost` : "the run is lost"} when its tab is closed. It trains all the same, and can be taken home.`;
}
