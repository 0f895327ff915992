// What the reader has made: how large, how good, how long it took; as a folder, and in the playground.

import { inBytes } from "../../engine/own-model.js";
import { keep } from "../../engine/training/kept-run.js";
import { zip } from "../../engine/training/zip.js";
import { make, number } from "../../parts/token-chips.js";
import { duration, nats, rateText, tokensText, verdict } from "./run-words.js";

const FOLDER = "my-gpt";

// Of which step, and how good: `minigpt train` keeps the lowest loss, too.
function taken({ best, step, facts }) {
  if (!best) return `of step ${number(step)}, as it is now`;
  return `of step ${number(best.step)}, where the loss on the text kept apart was lowest: ${nats(best.loss)}, ${verdict(best.loss, facts)}`;
}

export class TakeHome {
  // model: resolves to {step, files}, the model's folder and of which step it is, or to nothing when the
  // page says why. say: told what the reader should hear.
  constructor({ model, say }) {
    Object.assign(this, { model, say });
    const button = (text, click) => make("button", { type: "button", class: "mg-button", text, click });
    this.facts = make("dl", { class: "mg-facts" });
    this.download = button("Take it home", () => this.takeHome());
    this.open = button("Open in the playground", () => this.toPlayground());
    this.command = make("code", { class: "mg-made-command", text: `minigpt generate "" --model ${FOLDER}` });
    this.title = make("p", { class: "mg-title" });
    this.node = make("section", { class: "mg-made", "aria-label": "What you have made" },
      this.title, this.facts,
      make("div", { class: "mg-buttons" }, this.download, this.open),
      make("p", { class: "mg-note" }, "At home, unpack the folder; in a terminal with this book’s package (", make("a", { href: "command-line.html", text: "how to install it" }), ") it writes by ", this.command,
        " and learns on by ", make("code", { text: `minigpt train runs/longer --from ${FOLDER} --text my.txt` }),
        ". There my.txt is a file with your own text, which is not in the zip."));
    this.show();
  }

  // run: the reader's own. beside: whether an experiment is shown in its place.
  show(run, beside) {
    const fact = (name, value) => make("div", {}, make("dt", { text: name }), make("dd", { text: value }));
    const { order, facts, seconds = 0, step = 0 } = run ?? {};
    const known = run && step;
    this.title.textContent = `What you have made${known && beside ? ": your own run, not the experiment that is shown" : ""}`;
    this.facts.replaceChildren(
      fact("Size", known ? `${number(facts.count)} numbers, in ${facts.config.n_layer === 1 ? "1 block" : `${facts.config.n_layer} blocks`}` : beside ? "nothing yet: an experiment is not taken home" : "nothing yet"),
      fact("Learned from", known ? `${order.title}, ${number(facts.characters)} characters, the last tenth kept apart, as ${number(facts.config.vocab_size)} tokens (${tokensText(order.merges)})` : "–"),
      fact("Steps", known ? `${number(step)}, at a learning rate of ${rateText(order.recipe.learning_rate)} at most` : "–"),
      fact("The model to take", known ? taken(run) : "–"),
      fact("Time", known ? `${duration(seconds)}${facts?.cores > 1 ? ", on two cores" : ""}` : "–"));
    for (const button of [this.download, this.open]) button.setAttribute("aria-disabled", String(!known));
    this.made = known ? run : undefined;
  }

  async takeHome() {
    const model = this.made && await this.model();
    if (!model) return;
    const inFolder = Object.fromEntries(Object.entries(model.files).map(([name, data]) => [`${FOLDER}/${name}`, data]));
    const blob = zip(inFolder);
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: `${FOLDER}.zip` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);  // when the browser has it
    this.say(`${FOLDER}.zip, ${inBytes(blob.size)}: the model of step ${number(model.step)}, as config.json, model.safetensors and tokenizer.json.`);
  }

  // By way of the browser's storage: it is another page.
  async toPlayground() {
    const model = this.made && await this.model();
    if (!model) return;
    try {
      await keep("for the playground", { name: "The model that you trained", files: model.files });
    } catch (error) {
      this.say(`This browser keeps nothing for another page: take it home, and drop its folder on the playground. (${error.message})`);
      return;
    }
    location.href = new URL("playground.html#trained-here", document.baseURI);
  }
}
