// Tokens and their probabilities as a table with bars, the best first.

import { along, axisEnd } from "./probability-bars.js";
import { chipText, make } from "./token-chips.js";
import { tokenName } from "./token-name.js";

// 0.1234 as "12.3 %".
export function percent(p) {
  return p > 0 && p < 0.0005 ? "<\u00a00.1\u00a0%" : `${(100 * p).toFixed(1)}\u00a0%`;
}

export class LikelyTokens {
  said = "";  // the best three, for a screen reader

  // size: how many tokens are shown.
  constructor(size) {
    this.caption = make("caption");
    this.rows = Array.from({ length: size }, () => {
      const row = { token: make("th", { scope: "row" }), number: make("td"), bar: make("span") };
      row.node = make("tr", {}, row.token, row.number,
        make("td", { class: "mg-likely-track" }, row.bar));
      return row;
    });
    this.node = make("table", { class: "mg-likely" }, this.caption, make("tbody", {}, ...this.rows.map(({ node }) => node)));
  }

  // best: {id, probability} of as many tokens, or of fewer.
  show(caption, best, tokenizer) {
    const end = axisEnd(best[0].probability);
    this.caption.textContent = `${caption} A full bar is ${Math.round(100 * end)}\u00a0%.`;
    const said = ({ id, probability }) => `“${tokenName(tokenizer.tokenBytes(id))}” ${percent(probability)}`;
    this.said = best.slice(0, 3).map(said).join(", ");
    this.rows.forEach(({ node, token, number, bar }, i) => {
      node.hidden = i >= best.length;
      if (node.hidden) return;
      const { id, probability } = best[i];
      token.replaceChildren(chipText(tokenizer.tokenBytes(id)));
      number.textContent = percent(probability);
      bar.style.width = along(probability, end);
    });
  }
}
