// The book's own tuned model in the page: `minigpt.load("play-finder")`, which is the shipped model
// and an adapter of 0.3 MB. Once for all elements of a page.

import { ChatTemplate } from "./chat-template.js";
import { fetchedBytes } from "./fetched.js";
import { loadShippedModel } from "./shipped-model.js";

const NAME = "play-finder";
const FOLDER = new URL(`../models/${NAME}/`, import.meta.url);

let loading;

// Resolves to {base, tuned, template, numbers}: the model with the adapter off and with it on, the
// chat template that it was taught with, and how many numbers the adapter has. `report` is told of
// the base's weights, as loadShippedModel tells.
export function loadShippedAdapter(report) {
  const base = loadShippedModel(report);
  loading ??= start();
  const attempt = loading;
  attempt.catch(() => { if (loading === attempt) loading = undefined; });  // the next one asks again
  return base.then(() => attempt);
}

async function start() {
  const base = await loadShippedModel();
  const [numbers, template] = await Promise.all([
    base.loadAdapter(FOLDER.href, NAME),
    fetchedBytes(new URL("chat_template.jinja", FOLDER)).then((bytes) => ChatTemplate.of(new TextDecoder().decode(bytes))),
  ]);
  return { base, tuned: base.withAdapter(NAME), template, numbers };
}
