// Which model writes: the book's, the same with its adapter on, or one that the reader opens from a
// folder of theirs.

import { ownModel, useModel } from "../../engine/model-in-use.js";
import { inBytes, MOST_BYTES, openModel, sizesOf } from "../../engine/own-model.js";
import { loadShippedAdapter } from "../../engine/shipped-adapter.js";
import { make, number } from "../../parts/token-chips.js";
import { isMistake, mistake, outOfMemory } from "../../parts/what-failed.js";
import { chosenFiles, droppedFiles } from "./folder-files.js";

const TRAINED = "#trained-here";  // in the address, by which <training-run> opens the page
const ASK = 50e6;  // bytes of memory from which on a model is opened at a second press

export class ModelChoice {
  // host: the element, on which a folder may be dropped.
  constructor(host) {
    const button = (text, click, more = {}) => make("button", { type: "button", class: "mg-button", text, click, ...more });
    const input = (more) => make("input", {
      type: "file", multiple: true, hidden: true, ...more,
      change: ({ target }) => {
        const chosen = chosenFiles(target.files);
        target.value = "";  // so that the same can be chosen again
        if (chosen) this.read(chosen);
      },
    });
    this.folder = input({ webkitdirectory: true });
    this.files = input();
    const canChooseFolders = "webkitdirectory" in this.folder && !matchMedia("(pointer: coarse)").matches;
    this.chooseFolder = button("Choose a folder", () => this.folder.click(), { hidden: !canChooseFolders });
    this.chooseFiles = button(canChooseFolders ? "Choose its files" : "Choose the files", () => this.files.click());
    this.message = make("p", { class: "mg-message", role: "status" });
    this.bar = make("progress", { class: "mg-loading-bar", "aria-label": "Opening the model", hidden: true });
    this.open = button("Open it", () => this.openIt());
    this.giveUp = button("Not now", () => this.stop("Nothing was opened."));
    this.tuned = button("The tuned one, play-finder", () => this.openTuned());
    this.back = button("Back to the book’s model", () => this.toTheBooks());
    this.name = make("span", { class: "mg-note" });
    this.node = make("details", { class: "mg-fold mg-model" },
      make("summary", {}, make("span", { class: "mg-title", text: "Model" }), " ", this.name),
      make("p", {}, "A GPT of your own runs here too: ", make("code", { text: "config.json" }), ", ",
        make("code", { text: "model.safetensors" }), " and ", make("code", { text: "tokenizer.json" }),
        `, up to ${inBytes(MOST_BYTES)} of memory. ${canChooseFolders ? "Drop its folder here, or choose it. " : ""}It is read in this page; nothing of it is sent anywhere.`),
      make("div", { class: "mg-buttons" }, this.chooseFolder, this.chooseFiles, this.tuned, this.back),
      this.message, this.bar,
      make("div", { class: "mg-buttons" }, this.open, this.giveUp), this.folder, this.files);
    host.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      host.toggleAttribute("data-drop", true);
    });
    host.addEventListener("dragleave", (event) => { if (!host.contains(event.relatedTarget)) host.removeAttribute("data-drop"); });
    host.addEventListener("drop", (event) => {
      host.removeAttribute("data-drop");
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.node.open = true;
      droppedFiles(event.dataTransfer).then((dropped) => this.read(dropped), (error) => this.fail("The folder", error));
    });
    this.showState();
    if (location.hash === TRAINED) this.takeTrained();
  }

  // From <training-run>, on another page: the model that the reader trained, by way of the browser.
  async takeTrained() {
    this.node.open = true;
    try {
      const { kept } = await import("../../engine/training/kept-run.js");
      const { name, files } = await kept("for the playground") ?? {};
      if (!files) throw new Error("it is not kept any more: open it once more where it was trained");
      await this.read({ name, files: new Map(Object.entries(files).map(([file, data]) => [file, new File([data], file)])) });
    } catch (error) {
      this.fail("The model that you trained", error);
    }
  }

  // What a folder holds, in words; a small model is opened at once. {name, files} as of folder-files.js.
  async read({ name, files }) {
    this.stop("");
    const signal = this.begin();
    try {
      const sizes = await sizesOf(files);
      if (signal.aborted) return;
      this.found = { name, files, sizes };
    } catch (error) {
      if (!signal.aborted) this.fail(name, error);
      return;
    }
    this.message.textContent = `${this.told}. This page will need ${inBytes(this.found.sizes.bytes)} of memory for it.`;
    this.showState();
    if (this.found.sizes.bytes < ASK) await this.openIt();
    else this.open.focus();
  }

  get told() {
    const { name, sizes: { numbers, config } } = this.found;
    return `${name} is a GPT with ${number(numbers)} numbers, in ${config.n_layer === 1 ? "one block" : `${config.n_layer} blocks`}`;
  }

  openIt() {
    const { name, files, sizes } = this.found;
    const words = { name, inUse: `${name}, ${number(sizes.numbers)} numbers`, told: `${this.told}. It is open: the whole page uses it now.` };
    return this.opened(words, (report, signal) => openModel(files, sizes, report, signal));
  }

  openTuned() {
    this.stop("Loading the adapter …");
    const words = {
      name: "play-finder", inUse: "play-finder, the book’s with an adapter on",
      told: "The book’s model now has its adapter on, and the whole page uses it. It answers a prompt such as “READER: ↵ In which play is CASSIO? ↵ ↵ MINIGPT: ↵”.",
    };
    return this.opened(words, async (report) => (await loadShippedAdapter(report)).tuned);
  }

  // words: the model's name, what is said of it while it is in use, and once it is open.
  async opened({ name, inUse, told }, open) {
    const signal = this.begin();
    this.opening = true;
    this.bar.removeAttribute("value");
    this.showState();
    try {
      const model = await open(({ loaded, total }) => { if (total) Object.assign(this.bar, { max: total, value: loaded }); }, signal);
      if (signal.aborted) return;
      this.giving = undefined;  // what is open is not given up any more
      useModel(model);
      this.inUse = inUse;
      this.message.textContent = told;
      this.found = undefined;
    } catch (error) {
      if (!signal.aborted) this.fail(name, error);
    } finally {
      if (!signal.aborted) {
        this.opening = false;
        this.showState();
      }
    }
  }

  // The newest wish counts.
  begin() {
    this.giving?.abort();
    this.giving = new AbortController();
    return this.giving.signal;
  }

  stop(told) {
    const focused = [this.open, this.giveUp].includes(document.activeElement);
    this.giving?.abort();
    this.found = undefined;
    this.opening = false;
    this.message.textContent = told;
    this.showState();
    if (focused) this.chooseFiles.focus();
  }

  fail(name, error) {
    this.found = undefined;
    const why = /^Not(Found|Readable)Error$/.test(error.name) ? `${name} could not be read from the disk: choose it again. (${error.message})`
      : isMistake(error) ? mistake(error)
      : outOfMemory(error) ? `${name} needs more memory than this device gives: close other tabs and try again. (${error.message})`
        : `${name} was not opened. ${error.message}${/[.?!]$/.test(error.message) ? "" : "."}`;
    this.message.textContent = `${why} ${ownModel() ? "The model that was here" : "The book’s model"} stays.`;
    this.showState();
  }

  toTheBooks() {
    if (!ownModel()) return;
    this.stop("The book’s model writes again.");
    useModel(undefined);
    this.showState();
    this.chooseFiles.focus();
  }

  showState() {
    this.name.textContent = ownModel() ? this.inUse : "the book’s own";
    this.back.hidden = !ownModel();
    this.bar.hidden = !this.opening;
    this.open.hidden = !this.found || this.opening;
    this.giveUp.hidden = !this.found && !this.opening;
    this.giveUp.textContent = this.opening ? "Stop" : "Not now";
  }
}
