// What an attention map says, in words: of a token, of a cell, and of a whole head.

import { count } from "./token-chips.js";

export const WRITTEN = 0.05;    // from this weight on a token's percentage is written out

export function percent(weight) {
  if (weight > 0 && weight < 0.005) return "<\u00a01\u00a0%";
  return weight >= 0.995 && weight < 1 ? ">99\u00a0%" : `${Math.round(100 * weight)}\u00a0%`;
}

// Shares of one whole as percentages that do not exceed it: where rounding would, what was rounded
// up the most is rounded down.
export function percents(shares) {
  const whole = shares.map((share) => Math.round(100 * share));
  while (whole.reduce((a, b) => a + b, 0) > 100) {
    const gains = whole.map((n, i) => n - 100 * shares[i]);
    whole[gains.indexOf(Math.max(...gains))] -= 1;
  }
  return shares.map((share, i) => (whole[i] === Math.round(100 * share) ? percent(share) : `${whole[i]}\u00a0%`));
}

const listed = (parts) => [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");

// “lord” (token 7) looks 62 % at “my” (6), 20 % at “,” (3) and 18 % at 5 other tokens.
export function describe(explorer, at) {
  const { size, backward } = explorer;
  const seen = Array.from({ length: size }, (_, i) => i).filter((i) => (backward ? i >= at : i <= at));
  const weight = (i) => (backward ? explorer.weight(i, at) : explorer.weight(at, i));
  const ranked = seen.sort((a, b) => weight(b) - weight(a) || a - b);
  const told = ranked.filter((i, rank) => rank === 0 || (rank < 4 && weight(i) >= WRITTEN));
  const others = count(ranked.length - told.length, "other token");
  const left = ranked.length > told.length;
  const name = (i) => (i === at ? "itself" : `“${explorer.named(i)}” (${i + 1})`);
  const subject = `“${explorer.named(at)}” (token ${at + 1})`;
  if (backward) {
    const parts = told.map((i) => `${name(i)} with ${percent(weight(i))}`);
    return `${subject} is looked at by ${listed([...parts, ...(left ? [`${others} with less`] : [])])}.`;
  }
  const rest = ranked.slice(told.length).reduce((sum, i) => sum + weight(i), 0);
  if (left && weight(told[0]) >= 0.995) return `${subject} gives nearly all of its weight to ${name(told[0])}, and next to nothing to ${others}.`;
  const shares = percents(told.map(weight));
  const room = 100 - shares.reduce((sum, text) => sum + parseInt(text, 10), 0);
  const remaining = Math.min(room, Math.round(100 * rest));
  const parts = told.map((i, n) => `${shares[n]} at ${name(i)}`);
  if (left) parts.push(`${remaining > 0 ? `${remaining}\u00a0%` : "next to nothing"} at ${others}`);
  return `${subject} looks ${listed(parts)}.`;
}

export function describeCell(explorer, query, key) {
  const looks = `“${explorer.named(query)}” (${query + 1})`;
  const seen = key === query ? "itself" : `“${explorer.named(key)}” (${key + 1})`;
  return key > query ? `${looks} cannot look at ${seen}, which comes later.`
    : `${looks} looks ${percent(explorer.weight(query, key))} at ${seen}.`;
}

// What the map's diagonal, its neighbour and its first column hold, in words. The first two
// tokens are left out: to them "itself", "the one before" and "the first" are not three things.
export function summarize(explorer) {
  const { ids, size } = explorer;
  if (size < 4) return "";
  let [before, first, itself, repeats, copy, after, places] = [0, 0, 0, 0, 0, 0, 0];
  for (let query = 2; query < size; query++) {
    before += explorer.weight(query, query - 1);
    first += explorer.weight(query, 0);
    itself += explorer.weight(query, query);
    const { there, followed } = earlier(ids, query);
    if (!there.length) continue;
    repeats += 1;
    places += followed.length;
    for (const key of there) copy += explorer.weight(query, key);
    for (const key of followed) after += explorer.weight(query, key);
  }
  const [previous, own, start] = percents([before, itself, first].map((sum) => sum / (size - 2)));
  const told = `From the third token on, a token looks on average ${previous} at the one before it, ${own} at itself and ${start} at the first.`;
  if (!repeats) return told;
  const [there, followed] = percents([copy / repeats, after / repeats]);
  if (!places) return `${told} If it occurred before, it looks ${there} there.`;
  return `${told} If it occurred before, it looks ${there} there and ${followed} at what followed. `
    + "What followed once may follow again: a head that looks there can copy it.";
}

// Where a token stood before, and what followed there. A place counts once, for the first of the
// two; a token that stood only right before tells nothing, as what followed is then itself.
function earlier(ids, query) {
  const there = ids.slice(0, query).flatMap((id, key) => (id === ids[query] ? [key] : []));
  if (there.length === 0 || there[0] === query - 1) return { there: [], followed: [] };
  return { there, followed: there.map((key) => key + 1).filter((key) => key < query && ids[key] !== ids[query]) };
}
