// <mask-painter>: a chat as the tokens that a model reads, and under each the label that the loss
// sees there. The reader says which labels count, and sees what the loss is and what it teaches.
//
// The chats are fetched when the element comes near the screen (book/_ext/site/masked_chats_file.py
// writes them). For tests: `element.load()` resolves when they are there, `element.result` is what
// is shown of the loss.

import { fetchedJson } from "../../engine/fetched.js";
import { FetchedElement } from "../../parts/fetched-element.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { chipText, count, fillChip, loadVocabulary, make, number, spelled } from "../../parts/token-chips.js";
import { lesson } from "./lessons.js";
import { labelsOf, maskedLoss, PRESETS, sameMask, working } from "./masks.js";

const FILE = new URL("../../models/masked-chats.json", import.meta.url);

let instances = 0;

class MaskPainter extends FetchedElement {
  what = "the chats";
  at = 0;  // the chat shown

  async fetchData() {
    const [{ chats }, tokenizer] = await Promise.all([fetchedJson(FILE), loadVocabulary("shakespeare")]);
    for (const { name, ids, counts, next, same } of chats) {
      if ([counts.length, next.length + 1, same.length + 1].some((length) => length !== ids.length)) {
        throw new Error(`“${name}” has ${ids.length} tokens and other numbers of labels`);
      }
    }
    Object.assign(this, { chats, tokenizer });
  }

  begin() {
    this.build();
    this.choose(0);
  }

  get first() { return this.querySelector("[type=radio]"); }
  get chat() { return this.chats[this.at]; }

  // For its picture: the right mask, as it is from the start.
  pose() { this.take("answer"); }

  build() {
    const id = `mask-painter-${++instances}`;
    const choices = this.chats.map(({ name }, i) => make("label", { class: "mg-option" },
      make("input", { type: "radio", name: id, checked: i === 0, change: () => this.choose(i) }), name));
    this.presets = Object.entries(PRESETS).map(([name, { title }]) => make("button", {
      type: "button", class: "mg-button", "data-preset": name, text: title, click: () => this.take(name),
    }));
    this.row = make("div", {
      class: "mg-chat", role: "toolbar", "aria-label": "Places of the chat, each pressed where its label counts",
      keydown: (event) => this.move(event),
      focusin: (event) => keepOneTabStop(event.target.closest("button"), this.columns),
    });
    this.numbers = ["counted", "sum", "loss"].map((name) => make("dd", { "data-value": name }));
    this.status = make("p", { class: "mg-lesson", role: "status" });
    this.replaceChildren(
      make("fieldset", { class: "mg-chats" }, make("legend", { class: "mg-title", text: "A chat" }), ...choices),
      make("div", { class: "mg-buttons", role: "group", "aria-label": "What counts" }, ...this.presets),
      make("p", { class: "mg-note" },
        "Above, the token that is read; below it the label there, and the model’s surprise at it, in nats. ",
        "Press a place to let its label count or not; with Shift, all from the last one pressed. A bar stands before each message."),
      this.row,
      make("div", { class: "mg-sums" },
        make("dl", {}, ...["labels that count", "their surprises", "loss, the mean"].map((text, i) =>
          make("div", {}, make("dt", { text }), this.numbers[i]))),
        this.status));
  }

  choose(at) {
    this.at = at;
    this.take("answer");
  }

  take(name) {
    this.shifted = PRESETS[name].shifted;
    this.mask = PRESETS[name].mask(this.chat);
    this.last = undefined;
    this.draw();
    this.render();
  }

  // Painting

  press(place, event) {
    if (event.shiftKey && this.last !== undefined) this.paint(this.last, place, this.mask[this.last]);
    else this.paint(place, place, !this.mask[place]);
    this.last = place;
  }

  paint(from, to, counts) {
    for (let t = Math.min(from, to); t <= Math.max(from, to); t++) this.mask[t] = counts;
    this.render();
  }

  // With Shift, what the focus comes to gets the state of where it was.
  move(event) {
    const from = this.columns.indexOf(event.target);
    moveFocus(event, this.columns);
    const to = this.columns.indexOf(document.activeElement);
    if (!event.shiftKey || from < 0 || to === from) return;
    this.paint(from, to, this.mask[from]);
    this.last = to;
  }

  // What is shown

  bytes(id) { return this.tokenizer.tokenBytes(id); }

  // The places of this chat; what the labels are is `render`'s business.
  draw() {
    const { ids, starts } = this.chat;
    const places = ids.map((id, t) => {
      const token = fillChip(make("span"), id, this.bytes(id));
      // As wide as either label, so that nothing moves under the reader's finger.
      const longest = Math.max(...ids.slice(t, t + 2).map((near) => spelled(this.bytes(near)).length));
      if (t === ids.length - 1) {
        return make("span", { class: "mg-column mg-unread", role: "img", "aria-label": `“${spelled(this.bytes(id))}”, the last token, has no label` },
          token, make("span", { class: "mg-target", text: "end" }));
      }
      return make("button", { type: "button", class: "mg-column", style: `--letters: ${longest}`, tabindex: t ? -1 : 0, click: (event) => this.press(t, event) },
        token, make("span", { class: "mg-target" }), make("span", { class: "mg-nats" }));
    });
    for (const start of starts) places[start].classList.add("mg-begins");
    this.columns = places.slice(0, -1);
    this.row.replaceChildren(...places);
  }

  render() {
    const labels = labelsOf(this.chat, this.shifted);
    const surprises = this.shifted ? this.chat.next : this.chat.same;
    this.columns.forEach((column, t) => {
      const [, target, nats] = column.children;
      const counts = this.mask[t];
      const words = spelled(this.bytes(labels[t]));
      target.className = `mg-target ${counts ? `mg-counts mg-token-${labels[t] % 6}` : "mg-ignored"}`;
      target.replaceChildren(...(counts ? [chipText(this.bytes(labels[t])), make("span", { class: "mg-chip-id", text: labels[t] })] : ["−100"]));
      nats.textContent = counts ? surprises[t].toFixed(3) : "";
      column.setAttribute("aria-pressed", String(counts));
      column.setAttribute("aria-label", `“${spelled(this.bytes(this.chat.ids[t]))}”, label ${counts ? `“${words}”, surprise ${surprises[t].toFixed(3)}` : "−100"}`);
    });
    for (const button of this.presets) {
      const { shifted, mask } = PRESETS[button.dataset.preset];
      button.setAttribute("aria-pressed", String(shifted === this.shifted && sameMask(mask(this.chat), this.mask)));
    }
    this.result = maskedLoss(surprises, this.mask);
    const { counted, sum, loss } = this.result;
    const [many, worked, mean] = this.numbers;
    many.replaceChildren(make("b", { text: number(counted) }), ` of ${count(this.mask.length, "label")}`);
    worked.textContent = working(surprises, this.mask, sum);
    mean.replaceChildren(...(counted ? [`${sum.toFixed(3)} ÷ ${counted} = `, make("b", { text: `${loss.toFixed(3)} nats` })] : ["nothing to take the mean of"]));
    this.status.textContent = lesson(this.chat, this.mask, this.shifted);
  }
}

if (!customElements.get("mask-painter")) customElements.define("mask-painter", MaskPainter);
