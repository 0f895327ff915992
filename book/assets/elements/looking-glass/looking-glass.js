// <looking-glass prompt="…">: a text of the reader's on its way through the model, stage after
// stage, every number a true one. The chosen token is the same in all stages, and so is the block.
//
// For tests: `element.load()` resolves when the prompt is shown, `element.trace` is what is shown
// (gpt-trace.js), `element.token` the chosen token's place, from 0, `element.updated` resolves
// when the newest text is.

import { norm } from "../../engine/gpt-trace.js";
import { LikelyTokens } from "../../parts/likely-tokens.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { fillChip, make, number } from "../../parts/token-chips.js";
import { tokenAt, tokenName } from "../../parts/token-name.js";
import { TracedText } from "../../parts/traced-text.js";
import "../attention-explorer/attention-explorer.js";
import "../logit-lens/logit-lens.js";
import { HeadInside } from "./head-inside.js";
import { MlpUnits } from "./mlp-units.js";
import { StreamLengths } from "./stream-lengths.js";
import { VectorStrips } from "./vector-strips.js";

const BEST = 10;        // tokens in the last stage
const ANNOUNCE = 700;   // milliseconds without a move before a screen reader is told

class LookingGlass extends HTMLElement {
  token = 0;

  connectedCallback() {
    if (this.text) return;
    this.text = new TracedText(this, "Type a text, and follow it through the model", {
      shown: (all) => (all ? this.show(all) : this.clear()),
      said: () => `The last token, ${this.named}, is chosen.`,
    });
    this.stages = make("ol", { class: "mg-stages", hidden: true });
    this.replaceChildren(this.text.node, this.stages);
    this.text.start();
  }

  load() { return this.text.load(); }

  get updated() { return this.text.updated.then(() => this.units?.drawn); }
  get trace() { return this.all?.trace; }

  // From what the model is: how many blocks it has, and how wide it is.
  build(config) {
    this.built = config;
    const { n_layer, n_head, n_embd, vocab_size } = config;
    const head = n_embd / n_head;
    this.chipBox = make("div", {
      class: "mg-glass-chips", role: "toolbar", "aria-label": "Tokens", dir: "ltr",
      keydown: (event) => moveFocus(event, this.chips),
      focusin: (event) => this.chooseChip(event.target),
      click: (event) => this.chooseChip(event.target.closest("button")),  // Safari gives a clicked button no focus
    });
    this.strips = new VectorStrips(["token", "position", "sum"], "The numbers of the rows");
    this.lengths = new StreamLengths();
    this.explorer = make("attention-explorer", {
      source: "given",
      "token-chosen": (event) => this.choose(event.detail), "head-chosen": () => this.drawBlock(),
    });
    this.inside = new HeadInside();
    this.units = new MlpUnits(n_layer, (layer) => this.chooseBlock(layer));
    this.lens = make("logit-lens", { source: "given", "token-chosen": (event) => this.choose(event.detail) });
    this.next = new LikelyTokens(BEST);
    this.stages.replaceChildren(
      stage("Tokens", "The tokenizer cuts the text into pieces of its vocabulary; each is a number, its id, from here on. "
        + "Choose one, and all stages below follow it.", "tokenizer.html#sec-tokenizer-encode", "how a text is cut", this.chipBox),
      stage("Embeddings", `Two tables hold a row of ${n_embd} numbers for each token and for each position; `
        + "the sum of two rows is the vector that goes in. Its length is the root of the sum of its squares.",
        "embedding.html#sec-embedding-learned", "a row for each position", this.strips.node),
      stage("The residual stream", `Each of ${n_layer} blocks adds to the vector: first what attention gathered, `
        + "then what the MLP computed from it.",
        "model.html#sec-model-residual", "add, do not replace", this.lengths.node),
      stage("Attention", `Every block has a layer of attention, whose ${n_head} heads decide how much each token takes from those before it, and from itself.`,
        "attention.html#sec-attention-heads", "several heads", this.explorer),
      stage("Inside the head", `Each head makes of a token’s vector a query, a key and a value, of ${head} numbers each. The query meets the key `
        + `of every token up to its own: their dot product, divided by √${head}, is a score, and the softmax makes weights of the scores. `
        + "The head shown is the one chosen above.",
        "attention.html#sec-attention-qkv", "ask, offer, give", this.inside.node),
      stage("Inside the MLP", `After attention, the block’s MLP reads the vector with ${number(4 * n_embd)} hidden units. What GELU lets through of a unit `
        + `multiplies a row of ${n_embd} numbers of its own, and their sum is what the MLP adds. A unit speaks for the tokens whose scores its row raises most, `
        + "by the table of tokens alone.",
        "model.html#sec-model-mlp", "the MLP", this.units.node),
      stage("The logit lens", "What would the model say if it ended here? "
        + "The final norm and the table of tokens read the vector early, after every block. (\\x8f and U+001B are bytes that the plays never have.)",
        "model.html#sec-model-gpt", "the whole model", this.lens),
      stage("What comes next", `At the end the same norm and table give each of ${number(vocab_size)} tokens a score, `
        + "and the softmax makes probabilities of them.",
        "generation.html#sec-generation-draw", "draw, and count", this.next.node));
  }

  clear() {
    this.all = undefined;
    this.stages.hidden = true;
  }

  // all: {trace, ids, tokenizer, model}.
  show(all) {
    const { trace, ids, tokenizer, model: { config } } = all;
    if (this.built !== config) this.build(config);
    this.all = all;
    this.stages.hidden = false;
    this.token = ids.length - 1;
    this.chips = ids.map((id, t) => {
      const bytes = tokenizer.tokenBytes(id);
      return fillChip(make("button", {
        type: "button", "aria-label": `token ${t + 1}: ${tokenName(bytes)}, id ${id}`, "data-token": t,
      }), id, bytes);
    });
    this.chipBox.replaceChildren(...this.chips);
    this.explorer.show({ config, tokenizer, ids, maps: trace.weights });
    this.lens.show(trace, ids, tokenizer);
    this.draw();
  }

  chooseChip(chip) {
    if (!chip?.dataset.token || !this.choose(Number(chip.dataset.token))) return;
    this.text.announce(`${this.named} is chosen. Next come ${this.next.said}.`, ANNOUNCE);
  }

  // Whether another token than before is chosen.
  choose(token) {
    if (token === this.token) return false;
    this.token = token;
    this.explorer.point(token);
    this.lens.point(token);
    this.draw();
    return true;
  }

  // The head stays the one that it is in its own block.
  chooseBlock(layer) {
    this.explorer.pointHead(layer, this.explorer.head);
    this.drawBlock();
    this.text.announce(`Block ${layer + 1}. ${this.units.said.textContent}`);
  }

  get named() {
    return tokenAt(this.all.tokenizer, this.all.ids, this.token);
  }

  // Everything that follows the chosen token.
  draw() {
    const { trace, ids, tokenizer, model: { config: { n_embd: C } } } = this.all;
    const { token: t, named } = this;
    this.chips.forEach((chip, i) => {
      chip.toggleAttribute("data-current", i === t);
      chip.setAttribute("aria-pressed", String(i === t));
    });
    keepOneTabStop(this.chips[t], this.chips);
    const rows = [trace.tokens, trace.positions].map((all) => all.subarray(t * C, (t + 1) * C));
    const sum = rows[0].map((value, c) => value + rows[1][c]);
    const long = (x) => `length ${norm(x).toFixed(2)}.`;
    this.strips.show([...rows, sum], [
      `Row ${ids[t]} of the token table, for ${named}: ${long(rows[0])}`,
      `Row ${t} of the position table, which counts from 0: ${long(rows[1])}`,
      `Their sum: ${long(sum)}`,
    ]);
    this.lengths.show(trace, t, named);
    this.drawBlock();
    const { best } = trace.lens.at(-1)[t];
    this.next.show(`After ${named}, the ${best.length} most probable tokens.`, best, tokenizer);
  }

  // What follows the chosen block and head too.
  drawBlock() {
    const { all, token, named, explorer: { layer, head } } = this;
    this.inside.show(all, token, layer, head);
    this.units.show(all, token, layer, named);
  }
}

function stage(title, sentence, href, chapter, ...content) {
  return make("li", { class: "mg-stage" },
    make("h3", { text: title }),
    make("p", {}, `${sentence} `, make("a", { href, text: `The chapter: ${chapter}` })),
    ...content);
}

if (!customElements.get("looking-glass")) customElements.define("looking-glass", LookingGlass);
