// A text of the playground as the fragment of an address, from which it can be written again:
// "#playground?prompt=…&temperature=0.7&…". Numbers are decimal; "off" is a setting's null.

import { equal, SETTINGS } from "../../parts/sampling-settings.js";

const MARK = "#playground?";
export const LARGEST_SEED = 2 ** 32 - 1;

// seed, tokens: as in the fields. Of a text that was written also `written`, its length without
// the prompt; branches: [[place, id], …], the tokens put in by hand; changes:
// [[place, {settings, seed}], …], where other settings came into force than before.
export function linkTo({ prompt, settings, seed, tokens, written, branches, changes }) {
  const parts = [["prompt", prompt.replace(/\p{Surrogate}/gu, "\uFFFD")], ...Object.entries(pairs(settings)), ["seed", seed], ["tokens", tokens]];
  if (written) parts.push(["written", written]);
  if (branches?.length) parts.push(["branches", branches.map((pair) => pair.join(":")).join(",")]);
  if (changes?.length) {
    parts.push(["changes", changes.map(([at, change]) => [at, ...Object.values(pairs(change.settings)), change.seed].join(":")).join(",")]);
  }
  return MARK + parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

// To a text that was written: its prompt and its tokens, each with what it was drawn by. `press`:
// how many tokens the next press is to write.
export function linkToText({ prompt, tokens }, press) {
  const [{ settings, seed }] = tokens;
  const places = [...tokens.keys()];
  return linkTo({
    prompt: prompt.text, settings, seed, tokens: press, written: tokens.length,
    branches: places.filter((at) => tokens[at].byHand).map((at) => [at, tokens[at].id]),
    changes: places.filter((at) => at && !(tokens[at].seed === tokens[at - 1].seed && equal(tokens[at].settings, tokens[at - 1].settings)))
      .map((at) => [at, { settings: tokens[at].settings, seed: tokens[at].seed }]),
  });
}

const pairs = (settings) => Object.fromEntries(SETTINGS.map(({ name }) => [name, settings[name] ?? "off"]));

// What a fragment says, of what linkTo was given; undefined where it is none of ours. `stops` are
// the values that each setting can have, `most` the most tokens a text can have, and a press
// write. Throws an Error in words where the fragment is damaged.
export function readLink(fragment, { stops, most }) {
  if (!fragment.startsWith(MARK)) return undefined;
  const found = new Map();
  for (const part of fragment.slice(MARK.length).split("&")) {
    const [, name, value] = /^(\w+)=([^=]*)$/.exec(part) ?? [];
    if (!name || found.has(name)) throw new Error(`“${part}” is not understood`);
    found.set(name, decoded(value));
  }
  const take = (name, read) => {
    if (!found.has(name)) return undefined;
    const value = found.get(name);
    found.delete(name);
    const result = read(value);
    if (result === undefined) throw new Error(`its ${name} cannot be “${value}”`);
    return result;
  };
  const whole = (least, greatest) => (value) =>
    (/^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) <= greatest ? Number(value) : undefined);
  const stop = (name) => (value) => stops[name].find((other) => String(other ?? "off") === value);
  const seed = whole(0, LARGEST_SEED);
  const link = { prompt: take("prompt", (value) => value) };
  link.settings = Object.fromEntries(SETTINGS.map(({ name }) => [name, take(name, stop(name))])
    .filter(([, value]) => value !== undefined));
  link.seed = take("seed", seed);
  link.tokens = take("tokens", whole(1, most.press));
  link.written = take("written", whole(1, most.text));
  const place = whole(0, (link.written ?? 0) - 1);
  const list = (read) => (value) => {
    const entries = value.split(",").map((entry) => read(entry.split(":")));
    const places = entries.map((entry) => entry?.[0]);
    return places.every((at, i) => at !== undefined && (i === 0 || at > places[i - 1])) ? entries : undefined;
  };
  link.branches = take("branches", list(([at, id, ...more]) => {
    const pair = [place(at), whole(0, LARGEST_SEED)(id ?? "")];
    return more.length || pair.includes(undefined) ? undefined : pair;
  })) ?? [];
  link.changes = take("changes", list(([at, ...values]) => {
    const settings = Object.fromEntries(SETTINGS.map(({ name }, i) => [name, stop(name)(values[i] ?? "")]));
    const change = { settings, seed: seed(values[SETTINGS.length] ?? "") };
    const complete = values.length === SETTINGS.length + 1 && ![change.seed, ...Object.values(settings)].includes(undefined);
    return complete && place(at) !== undefined ? [place(at), change] : undefined;
  })) ?? [];
  for (const name of found.keys()) throw new Error(`it has a “${name}”, which the playground does not know`);
  return link;
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`“${value}” is cut off or was changed on its way`);
  }
}
