// What a model learns from a chat under a mask, in a sentence or two.

import { count } from "../../parts/token-chips.js";

// The tokens of each part of the chat, as numbers: of the answers, of their end marks, of the rest.
function parts({ ids, counts, ends }, shifted) {
  // The first token is never a label that is shifted, the last never one that is not.
  const labels = ids.map((_, i) => i).filter((i) => (shifted ? i > 0 : i < ids.length - 1));
  return {
    answer: labels.filter((i) => counts[i] && !ends.includes(i)),
    end: labels.filter((i) => ends.includes(i)),
    rest: labels.filter((i) => !counts[i]),
  };
}

export function lesson(chat, mask, shifted) {
  const chosen = (i) => mask[shifted ? i - 1 : i];
  const found = Object.entries(parts(chat, shifted)).map(([name, all]) => [name, { all: all.length, on: all.filter(chosen).length }]);
  const { answer, end, rest } = Object.fromEntries(found);
  if (!(answer.on + end.on + rest.on)) return "Nothing counts, so there is no loss and nothing to learn: minigpt refuses such an example.";
  if (!shifted) {
    return "Each label is the token that the model reads at that very place. It learns to say again what it was just told: "
      + "the loss can fall to nearly 0, and what it writes is one token over and over.";
  }
  const stops = end.on === end.all ? "and to stop" : end.on ? "and only in part how to stop" : "but never to stop: it goes on after its answer, until something cuts it off";
  if (!answer.on && !rest.on) return "It learns to end a turn, and nothing of what to say in it.";
  if (!answer.on) {
    return `It learns from ${count(rest.on, "token")} that others write: to ask, not to answer${end.on ? ", and to stop" : ""}.`;
  }
  const how = answer.on === answer.all ? "It learns to answer" : `It learns ${answer.on} of the answers’ ${count(answer.all, "token")}`;
  if (!rest.on) return `${how}, ${stops}.`;
  return `${how}, ${stops}. It also learns to write what a reader asks: ${rest.on} of the ${count(answer.on + end.on + rest.on, "label")} `
    + "that count belong to names and questions, and they share the same mean.";
}
