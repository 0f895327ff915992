// Which labels of a chat count, and the loss that they give.
//
// A place t is an input token; the last token of a chat is no input. `mask[t]` says whether the
// label at place t counts. Shifted, as it should be, the label is token t + 1, else token t itself.

const among = (chat, shifted, wanted) => chat.next.map((_, t) => Boolean(wanted(shifted ? t + 1 : t)));

export const PRESETS = {
  answer: { title: "Only the answer", shifted: true, mask: (chat) => among(chat, true, (i) => chat.counts[i]) },
  everything: { title: "Everything", shifted: true, mask: (chat) => among(chat, true, () => true) },
  "no-end": {
    title: "Answer without its end mark",
    shifted: true,
    mask: (chat) => among(chat, true, (i) => chat.counts[i] && !chat.ends.includes(i)),
  },
  "not-shifted": { title: "Labels not shifted", shifted: false, mask: (chat) => among(chat, false, (i) => chat.counts[i]) },
};

export const sameMask = (a, b) => a.every((counts, t) => counts === b[t]);

export const labelsOf = ({ ids }, shifted) => (shifted ? ids.slice(1) : ids.slice(0, -1));

// The mean over what counts, in nats; undefined where nothing does.
export function maskedLoss(surprises, mask) {
  const counted = mask.filter(Boolean).length;
  const sum = surprises.reduce((total, nats, t) => total + (mask[t] ? nats : 0), 0);
  return { counted, sum, loss: counted ? sum / counted : undefined };
}

const SHOWN = 8;  // terms of a sum that are written out

export function working(surprises, mask, sum) {
  const terms = surprises.filter((_, t) => mask[t]).map((nats) => nats.toFixed(3));
  if (!terms.length) return "none";
  const shown = terms.length <= SHOWN ? terms : [...terms.slice(0, 3), `… (${terms.length - 5} more)`, ...terms.slice(-2)];
  return terms.length === 1 ? terms[0] : `${shown.join(" + ")} = ${sum.toFixed(3)}`;
}
