// Inside one head of attention: the chosen token's query, key and value, and from each token up to
// it the score and the weight that the softmax made of it.

import { norm } from "../../engine/gpt-trace.js";
import { largest } from "../../engine/largest.js";
import { percent } from "../../parts/likely-tokens.js";
import { chipText, count, make } from "../../parts/token-chips.js";
import { tokenAt, tokenName } from "../../parts/token-name.js";
import { VectorStrips } from "./vector-strips.js";

const decimals = (x) => x.toFixed(2).replace("-", "−");

export class HeadInside {
  constructor() {
    this.title = make("p", { class: "mg-title" });
    this.strips = new VectorStrips(["query", "key", "value", "the other’s key"], "The numbers of the head");
    this.match = make("p", { class: "mg-match" });
    this.caption = make("caption");
    this.body = make("tbody");
    this.scroll = make("div", { class: "mg-scores", role: "region", tabindex: 0, "aria-label": "Scores and weights" },
      make("table", {}, this.caption,
        make("thead", {}, make("tr", {}, ...["token", "score", "weight"].map((text) => make("th", { scope: "col", text })),
          make("td"))),
        this.body));
    this.compared = make("p", { class: "mg-compared" });
    this.node = make("div", { class: "mg-inside" }, this.title, this.strips.node, this.match, this.scroll, this.compared);
  }

  // all: {trace, ids, tokenizer, model}; t: the token; layer and head from 0.
  show({ trace, ids, tokenizer, model: { config: { n_embd: C, n_head: H } } }, t, layer, head) {
    const T = ids.length;
    const D = C / H;
    const name = (i) => tokenAt(tokenizer, ids, i);
    const vector = (i, part) => {
      const start = i * 3 * C + part * C + head * D;
      return trace.qkv[layer].subarray(start, start + D);
    };
    const row = (maps) => maps[layer][head].subarray(t * T, t * T + t + 1);
    const [scores, weights] = [row(trace.matches), row(trace.weights)];
    const order = largest(scores, t + 1);
    const other = order.find((i) => i !== t);  // undefined of the first token
    this.title.textContent = `Block ${layer + 1}, head ${head + 1}, at ${name(t)}`;
    const vectors = [vector(t, 0), vector(t, 1), vector(t, 2)];
    const titles = ["Its query", "Its key", "Its value"];
    if (other !== undefined) {
      vectors.push(vector(other, 1));
      titles.push(`The key of ${name(other)}, ${order[0] === t ? "after its own " : ""}the one that fits its query best`);
    }
    this.strips.show(vectors, vectors.map((x, i) => `${titles[i]}: length ${norm(x).toFixed(2)}.`));
    this.match.textContent = matched(name, other ?? t, scores, weights, D);
    this.caption.textContent = `What ${name(t)} looks at: ${count(t + 1, "token")}, itself included. A full bar is 100\u00a0%.`;
    this.body.replaceChildren(...ids.slice(0, t + 1).map((id, i) => make("tr", {},
      make("th", { scope: "row", "aria-label": `${i + 1} ${tokenName(tokenizer.tokenBytes(id))}` },
        `${i + 1} `, chipText(tokenizer.tokenBytes(id))),
      make("td", { text: decimals(scores[i]) }),
      make("td", { text: percent(weights[i]) }),
      make("td", { class: "mg-scores-track" }, make("span", { style: `width: ${(100 * weights[i]).toFixed(2)}%` })))));
    this.compared.textContent = compared(name, order, scores, weights);
  }
}

function matched(name, i, scores, weights, D) {
  const product = scores[i] * Math.sqrt(D);
  return "Compare the query with the key below: where the same cell is strong in both and on the same side, the score grows; on "
    + `opposite sides it shrinks. Query times key of ${name(i)} is ${decimals(product)}; divided by √${D} = `
    + `${Math.sqrt(D).toFixed(2)} that is its score, ${decimals(scores[i])}, which becomes a weight of ${percent(weights[i])}.`;
}

// Only differences of scores count, and the softmax makes factors of them.
function compared(name, [best, second], scores, weights) {
  if (second === undefined) return "There is one token to look at: whatever its score, it gets all of the weight. Choose a later one.";
  const [more, times] = [scores[best] - scores[second], weights[best] / weights[second]];
  return "Compare the two columns: a score that is 1 higher means a weight e = 2.72 times as large, whatever the others are. "
    + `Here ${name(best)} scores ${more.toFixed(2)} higher than ${name(second)} and gets ${times.toFixed(2)} times its weight.`;
}
