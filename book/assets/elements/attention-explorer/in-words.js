// What an attention map says, in words: of a token, of a cell, and of a whole head.

import { count } from "../../parts/token-chips.js";

export const WRITTEN = 0.05;    // from this weight on a token's percentage is written out

export const percent = (weight) => (weight > 0 && weight < 0.005 ? "<\u00a01\u00a0%" : `${Math.round(100 * weight)}\u00a0%`);

const listed = (parts) => [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");

// “lord” (token 7) looks 62 % at “my” (6), 20 % at “,” (3) and 18 % at 5 other tokens.
export function describe(explorer, at) {
  const { size, backward } = explorer;
  const others = Array.from({ length: size }, (_, i) => i).filter((i) => (backward ? i >= at : i <= at));
  const weight = (i) => (backward ? explorer.weight(i, at) : explorer.weight(at, i));
  const ranked = others.sort((a, b) => weight(b) - weight(a) || a - b);
  const told = ranked.filter((i, rank) => rank === 0 || (rank < 4 && weight(i) >= WRITTEN));
  const left = ranked.length - told.length;
  const name = (i) => (i === at ? "itself" : `“${explorer.named(i)}” (${i + 1})`);
  const parts = told.map((i) =>
    (backward ? `${name(i)} with ${percent(weight(i))}` : `${percent(weight(i))} at ${name(i)}`));
  if (left && backward) parts.push(`${count(left, "other token")} with less`);
  if (left && !backward) {
    const rest = ranked.slice(told.length).reduce((sum, i) => sum + weight(i), 0);
    parts.push(`${percent(rest)} at ${count(left, "other token")}`);
  }
  return `“${explorer.named(at)}” (token ${at + 1}) ${backward ? "is looked at by" : "looks"} ${listed(parts)}.`;
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
  let [before, first, itself, repeats, copy, after] = [0, 0, 0, 0, 0, 0];
  for (let query = 2; query < size; query++) {
    before += explorer.weight(query, query - 1);
    first += explorer.weight(query, 0);
    itself += explorer.weight(query, query);
    // Where the same token stood, unless that is right before: what followed is then itself.
    const places = ids.slice(0, query - 1).flatMap((id, key) => (id === ids[query] ? [key] : []));
    if (places.length) repeats += 1;
    for (const key of places) {
      copy += explorer.weight(query, key);
      after += explorer.weight(query, key + 1);
    }
  }
  const share = (sum) => percent(sum / (size - 2));
  return `From the third token on, a token looks on average ${share(before)} at the one before it, ${share(itself)} at itself `
    + `and ${share(first)} at the first.`
    + (repeats ? ` If it occurred before, it looks ${percent(copy / repeats)} there `
      + `and ${percent(after / repeats)} at what followed.` : "");
}
