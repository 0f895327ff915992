// One question and what was answered: with the adapter on and with it off, beside each other.

import { count, make } from "../../parts/token-chips.js";

export const SIDES = { on: "Adapter on", off: "Adapter off: the book’s model" };

export class ChatTurn {
  answers = {};   // of each side that was asked: {ids, text, ended}

  constructor(question) {
    this.question = question;
    this.boxes = {};
    this.node = make("div", { class: "mg-exchange", role: "listitem" },
      make("p", { class: "mg-asked" }, make("span", { class: "mg-note", text: "READER: " }), question),
      make("div", { class: "mg-sides" }, ...Object.entries(SIDES).map(([side, title]) => this.column(side, title))));
  }

  column(side, title) {
    const text = make("div", { class: "mg-answer" });
    const note = make("p", { class: "mg-note", text: "not asked" });
    this.boxes[side] = { text, note };
    return make("div", { class: `mg-side mg-side-${side}`, "data-side": side },
      make("p", { class: "mg-side-title", text: title }), text, note);
  }

  begin(side) {
    this.answers[side] = { ids: [], text: "", ended: false };
    this.boxes[side].text.replaceChildren();
    this.boxes[side].note.textContent = "answering …";
  }

  // answer: what answering.js gives.
  show(side, answer) {
    this.answers[side] = answer;
    const { text, note } = this.boxes[side];
    text.textContent = answer.text || (answer.ended ? "(nothing)" : "");
    const { length } = answer.ids;
    if (answer.ended) note.textContent = `${count(length, "token")}${answer.cut ? ", and no end mark: cut off here" : " with its end mark"}`;
  }

  stopped(side) {
    if (!this.answers[side]?.ended) this.boxes[side].note.textContent = this.answers[side]?.ids.length ? "stopped" : "not asked";
  }

  // For a screen reader.
  get told() {
    return Object.keys(this.answers).map((side) => `${SIDES[side]}: ${this.answers[side].text || "nothing"}`).join("\n");
  }
}
