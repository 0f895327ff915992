// What one token of a text was drawn from: the best tokens before and after the settings, who was
// ruled out by what, and the draw. Each other token can take its place.

import { ranked, sample, softmax } from "../../engine/sampling.js";
import { along, axisEnd, axisMarks, bars, decimals, leftOf, legend, sum } from "../../parts/probability-bars.js";
import { remover, SETTINGS, settingsInWords } from "../../parts/sampling-settings.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { chipText, count, make, number, spelled } from "../../parts/token-chips.js";

const SHOWN = 10;  // tokens with a row of their own, and the chosen one where it is not among them

export class TokenDrawn {
  // branch: told the id of the token that the reader puts in place of the one shown.
  constructor(branch) {
    this.branch = branch;
    this.title = make("h3", { class: "mg-title" });
    this.hint = make("p", { class: "mg-note" });
    this.facts = make("dl", { class: "mg-numbers" });
    this.line = make("div", { class: "mg-line", "aria-hidden": "true" });
    this.axis = make("div", { class: "mg-axis", "aria-hidden": "true" });
    this.rows = make("tbody");
    this.table = make("table", {},
      make("caption", {}, "The most probable tokens; choose one, and the text goes on from it", this.axis),
      make("thead", {}, make("tr", {}, ...["token", "model", "after"].map((text) => make("th", { scope: "col", text })))),
      this.rows);
    this.rows.addEventListener("keydown", (event) => moveFocus(event, this.buttons));
    this.rows.addEventListener("focusin", ({ target }) => keepOneTabStop(target, this.buttons));
    this.details = make("div", { class: "mg-drawn-details" },
      make("div", {}, this.facts, this.line),
      make("div", {}, this.table, legend([
        ["mg-own", "the model’s own probability"], ["mg-after", "after the settings"], ["mg-own", "ruled out", true],
      ])));
    this.node = make("section", { class: "mg-drawn" }, this.title, this.hint, this.details);
    this.clear();
  }

  clear() {
    this.token = undefined;
    this.title.textContent = "What a token was drawn from";
    this.hint.textContent = "Choose a token that the model wrote: here you see what else it could have been.";
    this.details.hidden = true;
  }

  // token: {id, scores, settings, seed, chance, byHand}. at: its place, counted from 0.
  show(tokenizer, token, at) {
    const focused = this.details.contains(document.activeElement);
    const scores = Float64Array.from(token.scores);
    this.token = token;
    this.own = softmax(scores);
    this.order = ranked(scores);
    this.result = sample(scores, token.settings);
    this.rank = this.order.indexOf(token.id) + 1;
    this.share = shareOf(this.result.probabilities, this.order, token.id);
    this.name = (id) => `“${spelled(tokenizer.tokenBytes(id))}”`;
    this.tokenizer = tokenizer;
    this.title.replaceChildren(`Written token ${number(at + 1)}: `, chipText(tokenizer.tokenBytes(token.id)));
    this.hint.textContent = token.byHand ? `You put it in. ${capital(settingsInWords(token.settings))}.`
      : token.settings.temperature === 0 ? "Greedy: no draw, the best token was taken."
        : `Drawn with ${settingsInWords(token.settings)}, seed ${token.seed}.`;
    this.details.hidden = false;
    this.showFacts();
    this.showLine();
    this.showRows();
    if (focused) this.buttons.find((button) => button.dataset.id === String(token.id))?.focus();
  }

  showFacts() {
    const { token, rank, own } = this;
    const { probabilities, left, entropy, removedBy } = this.result;
    const fact = (name, text, ...value) => make("div", {}, make("dt", { text }), make("dd", { "data-value": name }, ...value));
    const bold = (text) => make("b", { text });
    const gone = SETTINGS.map(({ name }) => [name, removedBy.filter((step) => step === name).length]).filter(([, n]) => n);
    const facts = [
      fact("rank", "rank", bold(number(rank)), ` of ${number(own.length)}`),
      fact("own", "the model’s probability", bold(decimals(own[token.id]))),
      fact("after", "after the settings", bold(removedBy[token.id] ? `out by ${remover(removedBy[token.id])}` : decimals(probabilities[token.id]))),
      fact("left", "tokens kept", bold(number(left)), ` of ${number(own.length)}`),
      fact("removed", "ruled out", gone.map(([name, n]) => `${number(n)} by ${remover(name)}`).join(", ") || "none"),
      fact("entropy", "entropy after the settings", bold(entropy.toFixed(2)), " nats"),
      fact("equal", "as undecided as among", bold(Math.exp(entropy).toFixed(1)), " equally likely"),
    ];
    if (this.drawn) {
      const [from, to] = this.share;
      facts.push(fact("share", "its share of the draw", bold(`${from.toFixed(3)} to ${to.toFixed(3)}`)),
        fact("chance", "chance fell on", bold(token.chance.toFixed(3))));
    }
    this.facts.replaceChildren(...facts);
  }

  // Was there a draw at all?
  get drawn() { return !this.token.byHand && this.token.settings.temperature > 0; }

  // All shares side by side, from 0 to 1, the token's own, and where chance fell.
  showLine() {
    const { token, share: [from, to] } = this;
    this.line.hidden = !this.drawn;
    const own = make("span", { class: "mg-after" });
    own.style.left = along(from, 1);
    own.style.width = along(to - from, 1);
    const mark = make("span", { class: "mg-share" });
    mark.style.left = along(token.chance, 1);
    this.line.replaceChildren(make("span", { class: "mg-track" }, own, mark),
      make("span", { class: "mg-axis" }, ...["0", "all shares side by side", "1"].map((text) => make("span", { text }))));
  }

  showRows() {
    const { own, order, token, rank } = this;
    const { probabilities, removedBy } = this.result;
    const shown = [...order.slice(0, SHOWN), ...(rank > SHOWN ? [token.id] : [])];
    const end = axisEnd(Math.max(own[order[0]], probabilities[order[0]]));
    this.axis.replaceChildren(...axisMarks(end));
    this.buttons = shown.map((id) => this.button(id));
    const rows = shown.map((id, i) => {
      const { track, own: before, after } = bars();
      before.style.width = along(own[id], end);
      after.style.width = along(probabilities[id], end);
      const removed = removedBy[id];
      const mark = id === token.id ? make("span", { class: "mg-chosen-mark", text: token.byHand ? "put in" : this.drawn ? "drawn" : "taken" }) : "";
      return make("tr", { class: [removed && "mg-removed", id === token.id && "mg-chosen"].filter(Boolean).join(" ") || null },
        make("th", { scope: "row" }, this.buttons[i], mark, track),
        make("td", { text: decimals(own[id]) }),
        make("td", { text: removed ? `out by ${remover(removed)}` : decimals(probabilities[id]) }));
    });
    const others = order.filter((id) => !shown.includes(id));
    this.rows.replaceChildren(...rows, make("tr", { class: "mg-others" },
      make("th", { scope: "row" }, `${count(others.length, "other")}, ${leftOf(others, removedBy)}`),
      make("td", { text: decimals(sum(others.map((id) => own[id]))) }),
      make("td", { text: decimals(sum(others.map((id) => probabilities[id]))) })));
    keepOneTabStop(this.buttons[shown.indexOf(token.id)], this.buttons);
  }

  button(id) {
    const here = id === this.token.id;
    const name = this.name(id);
    return make("button", {
      type: "button", class: "mg-alternative", "data-id": id, "aria-disabled": here ? "true" : null,
      "aria-label": here ? `${name}, the token in the text` : `${name}: go on from here with this one`,
      click: () => { if (!here) this.branch(id); },
    }, chipText(this.tokenizer.tokenBytes(id)));
  }

  // In a sentence, for those who cannot see it.
  get summary() {
    const { token, rank, result: { probabilities, left, removedBy } } = this;
    const after = removedBy[token.id] ? `ruled out by ${remover(removedBy[token.id])}` : `probability ${decimals(probabilities[token.id])}`;
    return `${this.name(token.id)}: rank ${number(rank)}, ${after}, ${count(left, "token")} kept. `
      + `${token.byHand ? "You put it in." : this.drawn ? `Chance fell on ${token.chance.toFixed(3)}.` : "The best token was taken."}`;
  }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// From where to where a token reaches when all lie side by side in this order.
function shareOf(probabilities, order, id) {
  const from = sum(order.slice(0, order.indexOf(id)).map((other) => probabilities[other]));
  return [from, from + probabilities[id]];
}
