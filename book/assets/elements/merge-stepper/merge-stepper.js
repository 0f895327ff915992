// <merge-stepper mode="train" text="aaabdaaabac" merges="3">: learn merges from a short text,
// one at a time. <merge-stepper mode="encode" text="strawberry" vocabulary="shakespeare">: apply
// the merges that a tokenizer has learned to a word that the reader types.
//
// Every state is drawn at the start and the later ones stay hidden, so that stepping moves
// nothing else on the page.

import { mergePair } from "../../engine/tokenizer.js";
import { whenNear } from "../../parts/near.js";
import { VOCABULARIES, count, fillChip, loadVocabulary, make, number, spelled } from "../../parts/token-chips.js";
import { whatFailed } from "../../parts/what-failed.js";

const PACE = 1400;    // milliseconds between two steps while playing
const LONGEST = 40;   // characters that the reader may type

let instances = 0;

// Every neighbouring pair with its count, the best one first: the most frequent, and among
// equally frequent ones the smallest (left id, then right id).
function countPairs(ids) {
  const counts = new Map();
  for (let i = 0; i + 1 < ids.length; i++) {
    const key = `${ids[i]},${ids[i + 1]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, n]) => ({ pair: key.split(",").map(Number), count: n }))
    .sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]);
}

// The states of training: the ids, the counts, and the pair that is merged next. It stops
// after `limit` merges, or when no pair occurs twice.
export function* trainingStates(text, limit = Infinity) {
  let symbols = Array.from(new TextEncoder().encode(text));
  for (let id = 256; ; id++) {
    const pairs = countPairs(symbols);
    const last = id - 256 >= limit || !(pairs[0]?.count > 1);
    yield { symbols, pairs, pair: last ? undefined : pairs[0].pair, id: last ? undefined : id };
    if (last) return;
    symbols = mergePair(symbols, pairs[0].pair, id);
  }
}

// Bytes of a token while training: the merges so far are in the states themselves.
function trainedBytes(id, states) {
  if (id < 256) return Uint8Array.of(id);
  const [left, right] = states[id - 256].pair;
  return Uint8Array.of(...trainedBytes(left, states), ...trainedBytes(right, states));
}

class MergeStepper extends HTMLElement {
  states = [];
  at = 0;

  connectedCallback() {
    if (this.slider) return;
    this.training = this.getAttribute("mode") !== "encode";
    this.text = this.getAttribute("text") ?? (this.training ? "aaabdaaabac" : "strawberry");
    this.vocabulary = this.getAttribute("vocabulary") in VOCABULARIES ? this.getAttribute("vocabulary") : "shakespeare";
    this.build();
    if (this.training) {
      this.restart([...trainingStates(this.text, Number(this.getAttribute("merges") ?? Infinity))]);
      return;
    }
    whenNear(this, () => this.load());
  }

  // Resolves when the vocabulary is there, or when the page says that it is not.
  async load() {
    if (!this.training && !this.tokenizer) await this.choose(this.vocabulary);
  }

  disconnectedCallback() { this.pause(); }

  // For its picture: all steps done.
  async pose() {
    await this.load();
    this.go(this.states.length - 1);
  }

  build() {
    const id = `merge-stepper-${++instances}`;
    const button = (name, text, action) => {
      this[name] = make("button", { type: "button", class: "mg-button", "data-action": name, text, click: action });
      return this[name];
    };
    this.slider = make("input", {
      type: "range", min: 0, max: 0, value: 0, step: 1, class: "mg-slider", "aria-label": "Step",
      input: () => { this.pause(); this.go(Number(this.slider.value)); },
    });
    this.place = make("span", { class: "mg-place", "aria-hidden": "true" });
    this.status = make("p", { class: "mg-status", role: "status" });
    this.rows = make("ol", { class: "mg-rows", start: 0 });
    this.view = make("div", { class: "mg-view", role: "group", tabindex: 0, "aria-label": "The symbols after each merge" }, this.rows);
    this.tables = make("div", { class: "mg-tables" });
    const source = this.training
      ? [make("p", { class: "mg-label" }, "Training on ", make("code", { text: this.text }))]
      : this.buildChoice(id);
    this.replaceChildren(
      ...source,
      make("div", { class: "mg-buttons", role: "group", "aria-label": "Steps" },
        button("back", "Back", () => { this.pause(); this.go(this.at - 1); }),
        button("step", "Step", () => { this.pause(); this.go(this.at + 1); }),
        button("play", "Play", () => (this.timer ? this.pause() : this.start())),
        button("reset", "Reset", () => { this.pause(); this.go(0); })),
      make("div", { class: "mg-progress" }, this.slider, this.place),
      this.status, this.view, this.training ? this.tables : this.buildLegend());
    this.go(0);
  }

  // What the reader chooses when encoding: the word, whose merges, and which piece of the text.
  buildChoice(id) {
    this.input = make("input", {
      id: `${id}-text`, class: "mg-input", type: "text", dir: "auto", maxlength: LONGEST,
      spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      input: () => { this.piece = 0; this.encode(); },
    });
    this.input.value = this.text;
    this.select = make("select", { id: `${id}-ranks`, class: "mg-input", change: () => this.choose(this.select.value) },
      ...Object.entries(VOCABULARIES).map(([name, { short, weight }]) =>
        make("option", { value: name, text: `${short} (${weight} to load)` })));
    this.select.value = this.vocabulary;
    this.piece = 0;
    this.pieces = make("div", { class: "mg-buttons mg-pieces", role: "group", "aria-label": "Pieces of the text", hidden: true });
    return [
      make("div", { class: "mg-fields" },
        make("div", {}, make("label", { class: "mg-label", for: `${id}-text`, text: "A word to encode" }), this.input),
        make("div", {}, make("label", { class: "mg-label", for: `${id}-ranks`, text: "Merges learned by" }), this.select)),
      this.pieces];
  }

  buildLegend() {
    return make("p", { class: "mg-legend" },
      "Between two tokens stands the rank of their pair, – where it has none. The lowest is framed, and merged next. The number under a token is its id.");
  }

  async choose(name) {
    this.vocabulary = name;
    this.tokenizer = undefined;  // the old one's merges must not stand under the new one's name
    this.pieces.hidden = true;
    this.restart([]);
    this.say(`Loading ${VOCABULARIES[name].owner} vocabulary …`);
    try {
      const tokenizer = await loadVocabulary(name);
      if (this.vocabulary !== name) return;  // the reader has chosen again meanwhile
      this.tokenizer = tokenizer;
      this.encode();
    } catch (error) {
      if (this.vocabulary === name) this.say(whatFailed(`${VOCABULARIES[name].owner} vocabulary`, error, "reload the page"));
    }
  }

  encode() {
    if (!this.tokenizer) return;
    const pieces = this.tokenizer.pieces(this.input.value);
    this.pieces.hidden = pieces.length < 2;
    this.pieces.replaceChildren(...pieces.map((piece, i) => make("button", {
      type: "button", class: "mg-button", "aria-pressed": String(i === this.piece),
      click: () => {
        this.piece = i;
        for (const [j, other] of [...this.pieces.children].entries()) other.setAttribute("aria-pressed", String(i === j));
        this.restart([...this.tokenizer.steps(piece)]);
      },
    }, make("bdi", { text: spelled(new TextEncoder().encode(piece)) }))));
    this.restart(pieces.length ? [...this.tokenizer.steps(pieces[this.piece])] : []);
  }

  restart(states) {
    this.pause();
    this.states = states;
    this.slider.max = Math.max(0, states.length - 1);
    this.rows.replaceChildren(...states.map((state, i) => this.drawRow(state, i)));
    this.tables.replaceChildren(...(this.training ? states.map((state) => this.drawTable(state)) : []));
    this.go(0);
  }

  bytes(id) { return this.training ? trainedBytes(id, this.states) : this.tokenizer.tokenBytes(id); }
  spelled(id) { return spelled(this.bytes(id)); }

  // One state: its symbols and, when encoding, the rank of every neighbouring pair between them.
  drawRow({ symbols, ranks, pair, id }, i) {
    const made = i > 0 ? this.states[i - 1].id : undefined;
    const row = make("li", { class: "mg-row", "data-ids": symbols.join(" ") });
    let inPair = false;
    symbols.forEach((symbol, j) => {
      const opens = !inPair && pair !== undefined && symbol === pair[0] && symbols[j + 1] === pair[1];
      const chip = fillChip(make("span"), symbol, this.bytes(symbol));
      chip.classList.toggle("mg-chosen", opens || inPair);
      chip.classList.toggle("mg-made", symbol === made);
      row.append(chip);
      if (ranks && j < ranks.length) {
        const rank = ranks[j];
        row.append(make("span", {
          class: `mg-rank${opens ? " mg-chosen" : ""}`, "data-rank": rank,
          text: rank === undefined ? "–" : number(rank),
        }));
      }
      inPair = opens;
    });
    if (id === undefined) row.classList.add("mg-last");
    return row;
  }

  drawTable({ pairs, pair }) {
    const rows = pairs.map((entry) => {
      const chosen = pair !== undefined && entry === pairs[0];
      return make("tr", { class: chosen ? "mg-chosen" : null },
        make("td", {}, make("code", { text: entry.pair.map((id) => this.spelled(id)).join(" ") })),
        make("td", {}, `(${entry.pair.join(", ")})`),
        make("td", {}, number(entry.count)),
        make("td", {}, chosen ? "merge" : ""));
    });
    return make("table", { class: "mg-table" },
      make("caption", { text: "Neighbouring pairs" }),
      make("thead", {}, make("tr", {}, ...["Pair", "Ids", "Count", "Next"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...rows));
  }

  go(target) {
    const last = Math.max(0, this.states.length - 1);
    this.at = Math.max(0, Math.min(target, last));
    this.slider.value = this.at;
    this.place.textContent = `step ${this.at} of ${last}`;
    this.slider.setAttribute("aria-valuetext", this.place.textContent);
    // aria-disabled, not disabled: a button that has the focus keeps it.
    this.back.setAttribute("aria-disabled", String(this.at === 0));
    this.step.setAttribute("aria-disabled", String(this.at === last));
    for (const [i, row] of [...this.rows.children].entries()) {
      row.classList.toggle("mg-later", i > this.at);
      row.toggleAttribute("data-current", i === this.at);
    }
    for (const [i, table] of [...this.tables.children].entries()) table.classList.toggle("mg-later", i !== this.at);
    this.follow();
    this.say(this.describe());
    if (this.at === last) this.pause();
  }

  // Keep the current row in sight inside its own box, without moving the page; the first row
  // that shows is a whole one.
  follow() {
    const row = this.rows.children[this.at];
    if (!row) return;
    const over = row.offsetTop + row.offsetHeight - this.view.clientHeight;
    const first = [...this.rows.children].find((other) => other.offsetTop >= over);
    this.view.scrollTop = over > 0 && first ? first.offsetTop : 0;
  }

  describe() {
    const state = this.states[this.at];
    if (!state) return this.training || this.tokenizer ? "Type something to encode." : this.status.textContent;
    const done = this.at === 0 ? "" : this.describeMerge(this.states[this.at - 1]);
    if (state.pair === undefined) {
      const why = this.training
        ? (state.pairs[0]?.count > 1 ? "That was the last merge asked for." : "No pair occurs twice any more.")
        : "No neighbouring pair has a rank.";
      return `${done} ${why} ${count(state.symbols.length, "token")}: ${state.symbols.join(", ")}.`.trim();
    }
    const [left, right] = state.pair.map((id) => `“${this.spelled(id)}”`);
    let next;
    if (this.training) {
      const rivals = state.pairs.filter((entry) => entry.count === state.pairs[0].count).length - 1;
      next = `Most frequent pair: ${left} ${right} (${state.pair.join(", ")}), ${state.pairs[0].count} times`
        + (rivals ? `, the smallest of ${rivals + 1} that tie.` : ".");
    } else {
      next = `Lowest rank: ${left} ${right}, rank ${number(state.rank)}.`;
    }
    return `${done} ${next}`.trim();
  }

  describeMerge({ pair, id }) {
    const [left, right] = pair.map((half) => `“${this.spelled(half)}”`);
    return `Merged ${left} and ${right} into token ${id}.`;
  }

  say(text) { this.status.textContent = text; }

  start() {
    if (this.states.length < 2) return;
    this.play.textContent = "Pause";
    this.timer = setInterval(() => this.go(this.at + 1), PACE);
    this.go(this.at === this.states.length - 1 ? 0 : this.at + 1);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.play) this.play.textContent = "Play";
  }
}

if (!customElements.get("merge-stepper")) customElements.define("merge-stepper", MergeStepper);
