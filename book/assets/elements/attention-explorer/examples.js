// Texts to begin with, and of one what to look for in it.

import { percent } from "../../parts/attention-in-words.js";

export const EXAMPLES = [
  { label: "Verse", text: "But soft, what light through yonder window breaks?\nIt is the east, and Juliet is the sun." },
  { label: "Dialogue", text: "HAMLET:\nGood night.\n\nHORATIO:\nGood night, my lord.\n\n" },
  { label: "Repetition", text: "Zork met Blip, and Zork met Blip, and Zork met", repeats: true },
  { label: "To-morrow", text: "To-morrow, and to-morrow, and to-morrow,\nCreeps in this petty pace" },
  { label: "안녕 👍", name: "Korean and an emoji", text: "안녕 👍" },
];

// What to look for in a text that repeats itself, or nothing. maps: of all heads.
export function hint(text, { ids, maps, named }) {
  if (!EXAMPLES.some((example) => example.repeats && example.text === text)) return "";
  const [last, size] = [ids.length - 1, ids.length];
  const after = ids.flatMap((id, i) => (id === ids[last] && i < last ? [i + 1] : []));
  const shares = maps.flatMap((heads, layer) => heads.map((weights, head) =>
    ({ layer, head, share: after.reduce((sum, key) => sum + weights[last * size + key], 0) })));
  const most = shares.reduce((a, b) => (b.share > a.share ? b : a));
  return `What will follow the last “${named(last)}”? Each time before it was “${named(after[0])}”: a head that looks there could copy it. `
    + `Choose the last token and try each head: none of them does. The most is ${percent(most.share)}, in layer ${most.layer + 1}, `
    + `head ${most.head + 1}; even looks at all ${size} tokens would give ${percent(after.length / size)}. This small model has not learned to copy.`;
}
