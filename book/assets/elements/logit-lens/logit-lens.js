// <logit-lens prompt="…">: what the model would say after each of its blocks, as a table: a row
// for each place in it, a column for each token of the text. With `fixed` nobody can change the
// text; with source="given" there is no text and no loading, and another element calls `show`.
//
// For tests: `element.load()` resolves when the prompt is shown, `element.trace` is what is shown
// (gpt-trace.js), `element.updated` resolves when the newest text is. A reader's choice of a
// column is told by the event "token-chosen", its `detail` the token's place, from 0.

import { LikelyTokens, percent } from "../../parts/likely-tokens.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { chipText, make } from "../../parts/token-chips.js";
import { tokenAt, tokenName } from "../../parts/token-name.js";
import { TracedText } from "../../parts/traced-text.js";

const ANNOUNCE = 700;   // milliseconds without a move before a screen reader is told
const SOURCE = "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens";

// How strongly a probability is tinted. The square root, as most are small; the legend shows it.
const tint = (probability) => Math.sqrt(probability).toFixed(3);

const placeName = (place) => (place ? `after block\u00a0${place}` : "after the tables");

class LogitLens extends HTMLElement {
  place = 0;  // the chosen cell
  token = 0;

  connectedCallback() {
    if (this.body) return;
    this.build();
    if (this.getAttribute("source") === "given") {
      this.replaceChildren(this.body);
      return;
    }
    this.text = new TracedText(this, this.hasAttribute("fixed") ? "The text" : "Type a text, and read the model after every block", {
      shown: (all) => (all ? this.show(all.trace, all.ids, all.tokenizer) : this.clear()),
      said: () => this.verdict.textContent,
    });
    this.replaceChildren(this.text.node, this.body);
    this.text.start();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  load() { return this.text?.load(); }
  get updated() { return this.text?.updated; }

  build() {
    this.table = make("table", {
      role: "grid", "aria-label": "The best guess after the tables and after each block, for each token of the text",
      keydown: (event) => this.move(event),
      focusin: (event) => this.chooseCell(event.target),
      click: (event) => this.chooseCell(event.target.closest("[role=gridcell]")),  // Safari gives a clicked cell no focus
    });
    const samples = [0, 0.02, 0.1, 0.3, 1].map((probability) =>
      make("span", { class: "mg-lens-sample", style: `--tint: ${tint(probability)}`, text: `${100 * probability}\u00a0%` }));
    this.likely = new LikelyTokens(5);
    this.verdict = make("p", { class: "mg-lens-verdict" });
    this.entropy = make("p", { class: "mg-lens-entropy" });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.body = make("div", { class: "mg-lens", hidden: true },
      make("div", { class: "mg-lens-scroll", tabindex: -1 }, this.table),
      make("p", { class: "mg-lens-legend" }, "Tints: ", ...samples,
        make("span", { class: "mg-lens-sample mg-settled", text: "framed" }), " the last answer, from where on it stays."),
      this.verdict,
      this.likely.node, this.entropy,
      make("p", { class: "mg-lens-credit" }, "The logit lens is by ",
        make("a", { href: SOURCE, text: "nostalgebraist (2020)" }),
        ". It reads early vectors with the norm and the table of the end, which nothing in training asked of them."),
      this.live);
  }

  clear() {
    this.trace = undefined;
    this.body.hidden = true;
  }

  // trace: what gpt-trace.js tells of the tokens `ids`.
  show(trace, ids, tokenizer, token = ids.length - 1) {
    if (this.trace?.lens.length !== trace.lens.length) this.place = trace.lens.length - 1;
    Object.assign(this, { trace, ids, tokenizer, token });
    this.body.hidden = false;
    const head = ids.map((id, t) => make("th", { scope: "col" },
      make("span", { class: "mg-lens-number", text: t + 1 }), " ", chipText(tokenizer.tokenBytes(id))));
    this.cells = trace.lens.map((guesses, place) => guesses.map((guess, t) => this.buildCell(guess, place, t)));
    this.columns = head;
    this.table.replaceChildren(
      make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "depth" }), ...head)),
      make("tbody", {}, ...this.cells.map((cells, place) => make("tr", {},
        make("th", { scope: "row", text: placeName(place) }), ...cells))));
    this.draw();
    this.reveal();
  }

  buildCell({ best: [{ id, probability }] }, place, t) {
    const bytes = this.tokenizer.tokenBytes(id);
    return make("td", {
      role: "gridcell", tabindex: -1, "aria-label": `“${tokenName(bytes)}”, ${percent(probability)}`,
      "data-place": place, "data-token": t, style: `--tint: ${tint(probability)}`,
      class: place >= this.settledAt(t) && "mg-settled",
    }, chipText(bytes), make("span", { class: "mg-lens-percent", text: percent(probability) }));
  }

  // The first place from which on the last answer for a token is the best one.
  settledAt(t) {
    const best = this.trace.lens.map((guesses) => guesses[t].best[0].id);
    return best.findLastIndex((id) => id !== best.at(-1)) + 1;
  }

  // Choose a column from outside: nothing is announced.
  point(token) {
    if (token === this.token) return;
    this.token = token;
    this.draw();
    this.reveal();
  }

  chooseCell(cell) {
    if (!cell?.dataset.place) return;
    const [place, token] = [Number(cell.dataset.place), Number(cell.dataset.token)];
    if (place === this.place && token === this.token) return;
    const turned = token !== this.token;
    Object.assign(this, { place, token });
    this.draw();
    this.reveal();
    this.announceSoon();
    if (turned) this.dispatchEvent(new CustomEvent("token-chosen", { detail: token }));
  }

  // Left and right stay in the row, up and down in the column.
  move(event) {
    const { place, token } = event.target.dataset;
    if (place === undefined) return;
    const across = !["ArrowUp", "ArrowDown"].includes(event.key);
    moveFocus(event, across ? this.cells[place] : this.cells.map((row) => row[token]));
  }

  draw() {
    const cells = this.cells.flat();
    const chosen = this.cells[this.place][this.token];
    for (const cell of cells) cell.setAttribute("aria-selected", String(cell === chosen));
    keepOneTabStop(chosen, cells);
    this.columns.forEach((column, t) => column.toggleAttribute("data-current", t === this.token));
    const { best, entropy } = this.trace.lens[this.place][this.token];
    const where = placeName(this.place);
    const title = `${where[0].toUpperCase()}${where.slice(1)}, the best guesses for what follows ${this.named}.`;
    this.likely.show(title, best, this.tokenizer);
    this.entropy.textContent = `Entropy ${entropy.toFixed(2)} nats: `
      + `as undecided as among ${Math.exp(entropy).toFixed(1)} equally probable tokens.`;
    this.verdict.textContent = this.judge();
  }

  get named() { return tokenAt(this.tokenizer, this.ids, this.token); }

  judge() {
    const [{ id, probability }] = this.trace.lens.at(-1)[this.token].best;
    const guess = tokenName(this.tokenizer.tokenBytes(id));
    const answer = `After ${this.named} the model’s answer is “${guess}”, with ${percent(probability)}.`;
    const from = this.settledAt(this.token);
    const last = this.trace.lens.length - 1;
    if (from === 0) return `${answer} It leads in every row, even before the first block.`;
    if (from === last) return `${answer} It comes to lead only in the last row, ${placeName(from)}.`;
    return `${answer} It comes to lead ${placeName(from)}, and stays there.`;
  }

  // Bring the chosen column into the box, and move nothing else.
  reveal() {
    const box = this.table.parentNode;
    const column = this.columns[this.token];
    const before = this.table.querySelector("thead th").offsetWidth;
    if (column.offsetLeft - before < box.scrollLeft) box.scrollLeft = column.offsetLeft - before;
    const end = column.offsetLeft + column.offsetWidth;
    if (end > box.scrollLeft + box.clientWidth) box.scrollLeft = end - box.clientWidth;
  }

  announceSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.live.textContent = `${placeName(this.place)}, ${this.named}: ${this.likely.said}. ${this.entropy.textContent}`;
    }, ANNOUNCE);
  }
}

if (!customElements.get("logit-lens")) customElements.define("logit-lens", LogitLens);
