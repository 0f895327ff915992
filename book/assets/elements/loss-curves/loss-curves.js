// <loss-curves>: real runs of a small GPT, one healthy and the others with one planted fault
// each. The reader looks at a run's curves and finds the fault.
//
// The runs (minigpt/results/curves.json) are fetched when the element comes near the screen.
// `element.load()` resolves when they are there, and `element.data` holds them.

import { fetchedJson } from "../../engine/fetched.js";
import { smoothed, svg } from "../../parts/curves.js";
import { FetchedElement } from "../../parts/fetched-element.js";
import { keepOneTabStop, moveFocus } from "../../parts/tab-stop.js";
import { count, make, number } from "../../parts/token-chips.js";
import { drawChart } from "./chart.js";
import { ANSWERS, DIAGNOSES, HEALTHY } from "./diagnoses.js";

const FILE = new URL("../../results/curves.json", import.meta.url);

let instances = 0;

// Three decimals, or three digits of what is larger or smaller than that shows well.
export function shown(x) {
  if (x === null) return "nan";
  if (x === 0) return "0";
  if (x >= 0.1 && x < 100) return x.toFixed(3);
  if (x >= 1e-4 && x < 1e5) return String(Number(x.toPrecision(3)));
  return x.toExponential(1).replace("+", "").replace("-", "−");
}

const isNumber = (x) => x !== null;
const lowest = (values) => Math.min(...values.filter(isNumber));
const highest = (values) => Math.max(...values.filter(isNumber));

// One value every so many steps; validation is measured once more, after the last step.
function unpack({ settings, runs }) {
  const { steps, log_every, evaluate_every } = settings;
  const every = (n, last) => Array.from({ length: Math.ceil(steps / n) + (last ? 1 : 0) }, (_, i) => Math.min(i * n, steps));
  const [logged, evaluated] = [every(log_every, false), every(evaluate_every, true)];
  const found = new Map(runs.map(({ bug, training_loss, gradient_norm, validation_loss }) => {
    const run = { bug, training: training_loss, norm: gradient_norm, validation: validation_loss };
    for (const [name, places] of [["training", logged], ["norm", logged], ["validation", evaluated]]) {
      if (run[name].length !== places.length) throw new Error(`the run ${bug} has ${run[name].length} values of ${name} for ${places.length} places`);
    }
    return [bug, run];
  }));
  const shownRuns = [{ bug: "none" }, ...DIAGNOSES].map(({ bug, beside }) => {
    const run = found.get(bug);
    if (run && bug !== "none") run.healthy = found.get(beside ?? "none");
    return run;
  });
  const besides = DIAGNOSES.filter(({ beside }) => beside);
  if (shownRuns.includes(undefined) || found.size !== shownRuns.length + besides.length) throw new Error("runs and diagnoses differ");
  return { logged, evaluated, runs: shownRuns };
}

class LossCurves extends FetchedElement {
  at = 0;      // the run shown: 0 is the healthy one
  place = 0;   // of the cursor, an index into `places`
  what = "the runs";

  async fetchData() {
    const data = await fetchedJson(FILE);
    Object.assign(this, unpack(data));
    this.data = data;
  }

  begin() {
    const { settings } = this.data;
    this.steps = settings.steps;
    this.places = [...this.logged, this.steps];
    this.references = [
      { value: settings.ln_vocabulary, name: "uniform", long: "guessing uniformly, ln V" },
      { value: settings.unigram, name: "letters", long: "knowing how frequent letters are" },
      { value: settings.bigram, name: "pairs", long: "knowing the pairs of letters" },
    ];
    this.progress = DIAGNOSES.map(() => ({ tried: new Set(), said: undefined, open: false }));
    this.place = Math.floor(this.places.length / 2);
    this.build();
    this.render();
    // A page that scales and a phone that turns change the pixels that there are to draw on.
    let drawn = this.picture.clientWidth;
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (drawn !== this.picture.clientWidth) this.draw();
      drawn = this.picture.clientWidth;
    })).observe(this.picture);
  }

  get first() { return this.next; }

  build() {
    const id = `loss-curves-${++instances}`;
    const button = (text, click, attributes) => make("button", { type: "button", class: "mg-button", text, click, ...attributes });
    this.previous = button("Previous", () => this.show(this.at - 1));
    this.next = button("Next", () => this.show(this.at + 1));
    this.runButtons = this.runs.map((_, i) => button("", () => this.show(i), { tabindex: -1 }));
    this.list = make("div", {
      class: "mg-runs", role: "toolbar", "aria-label": "Runs",
      keydown: (event) => moveFocus(event, this.runButtons),
      focusin: (event) => keepOneTabStop(event.target, this.runButtons),
    }, ...this.runButtons);
    this.heading = make("p", { class: "mg-title" });
    this.score = make("p", { class: "mg-score" });

    const track = (event) => {
      if (event.type === "pointermove" && event.pointerType !== "mouse" && !event.buttons) return;
      this.moveTo(this.chart.stepAt(event.clientX - this.picture.getBoundingClientRect().left));
    };
    this.picture = svg("svg", { class: "mg-chart", role: "img" });
    this.picture.addEventListener("pointerdown", track);
    this.picture.addEventListener("pointermove", track);
    this.slider = make("input", {
      type: "range", id: `${id}-step`, class: "mg-slider", min: 0, max: this.places.length - 1, "aria-label": "Step",
      input: () => this.moveCursor(Number(this.slider.value)),
    });
    this.readout = make("output", { class: "mg-readout", for: this.slider.id, "aria-live": "off" });
    const option = (name, text) => {
      this[name] = make("input", { type: "checkbox", change: () => this.draw() });
      return make("label", { class: "mg-option" }, this[name], text);
    };

    this.question = make("p", { class: "mg-title", id: `${id}-question` });
    this.choices = make("div", { class: "mg-choices", role: "group", "aria-labelledby": this.question.id });
    this.feedback = make("div", { class: "mg-feedback" });
    this.code = make("div", { class: "mg-planted", id: `${id}-code` });
    this.reveal = button("", () => {
      this.progress[this.at - 1].open = !this.progress[this.at - 1].open;
      this.showCode();
    }, { "aria-controls": this.code.id });
    this.live = make("p", { class: "mg-visually-hidden", role: "status" });
    this.replaceChildren(
      make("div", { class: "mg-headline" }, this.previous, this.heading, this.next),
      this.list, this.score,
      this.picture, this.slider, this.readout,
      make("div", { class: "mg-options" },
        option("log", "Logarithmic loss"), option("smooth", "Smooth the training loss")),
      this.buildLegend(),
      make("div", { class: "mg-diagnosis" },
        make("div", {}, this.question, this.choices),
        make("div", {}, this.feedback, this.reveal, this.code)),
      this.live);
  }

  buildLegend() {
    const sample = (name, ...marks) => svg("svg", { class: "mg-sample", viewBox: "0 0 32 12", width: 32, height: 12, "aria-hidden": "true" },
      svg("path", { class: `mg-${name}`, d: "M1 6H31" }), ...marks);
    const entry = (picture, ...words) => make("li", {}, picture, make("span", {}, ...words));
    return make("ul", { class: "mg-key", "aria-label": "Legend" },
      entry(sample("training"), "training loss"),
      entry(sample("validation", svg("circle", { class: "mg-evaluation", cx: 16, cy: 6, r: 3 })), "validation loss"),
      entry(sample("norm"), "length of the gradient"),
      this.healthyEntry = entry(sample("healthy-training"), "the healthy run"),
      ...this.references.map(({ value, name, long }) => entry(sample("reference"), make("b", { text: `${name} ${value.toFixed(2)}` }), `: ${long}`)));
  }

  get run() { return this.runs[this.at]; }
  get healthy() { return this.run.healthy; }
  get name() { return this.at ? `Run ${this.at} of ${DIAGNOSES.length}` : "Healthy run"; }

  // Another run, and the words about it for those who cannot see it.
  show(target) {
    const at = Math.max(0, Math.min(target, this.runs.length - 1));
    if (at === this.at) return;
    this.at = at;
    this.render();
    this.live.textContent = this.described;
  }

  render() {
    this.heading.textContent = this.name;
    // aria-disabled, not disabled: a button that has the focus keeps it.
    this.previous.setAttribute("aria-disabled", String(this.at === 0));
    this.next.setAttribute("aria-disabled", String(this.at === this.runs.length - 1));
    this.runButtons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === this.at)));
    keepOneTabStop(this.runButtons[this.at], this.runButtons);
    this.healthyEntry.hidden = this.at === 0;
    this.count();
    this.draw();
    this.ask();
  }

  count() {
    const solved = DIAGNOSES.map(({ answer }, i) => this.progress[i].tried.has(answer));
    this.runButtons.forEach((button, i) => {
      const done = i > 0 && solved[i - 1];
      button.textContent = i ? `${i}${done ? "\u00a0✓" : ""}` : "Healthy";
      button.setAttribute("aria-label", i ? `Run ${i}${done ? ", diagnosed" : ""}` : "Healthy run");
    });
    this.score.textContent = `${solved.filter(Boolean).length} of ${DIAGNOSES.length} diagnosed`;
  }

  draw() {
    this.smoothedRun = smoothed(this.run.training);
    this.chart = this.picture.clientWidth && drawChart(this.picture, {
      run: this.run, healthy: this.healthy, logged: this.logged, evaluated: this.evaluated, steps: this.steps,
      references: this.references, log: this.log.checked, smooth: this.smooth.checked,
    });
    this.picture.setAttribute("aria-label", this.described);
    this.moveCursor(this.place);
  }

  // The curves in words.
  get described() {
    const { training, validation, norm } = this.run;
    const course = (values, places) => {
      const known = values.filter(isNumber);
      if (!known.length) return "is nan throughout";
      const least = lowest(known);
      const ended = values.indexOf(null);
      return `starts at ${shown(values[0])}, is lowest with ${shown(least)} at step ${places[values.indexOf(least)]}, `
        + (ended < 0 ? `and ends at ${shown(values.at(-1))}` : `and is nan from step ${places[ended]} on`);
    };
    const norms = norm.filter(isNumber);
    const against = this.healthy ? ` For comparison: the healthy run’s validation loss ends at ${shown(this.healthy.validation.at(-1))}.` : "";
    return `${this.name}. The training loss ${course(training, this.logged)}. The validation loss ${course(validation, this.evaluated)}. `
      + `The gradient’s length lies between ${shown(lowest(norms))} and ${shown(highest(norms))}.${against}`;
  }

  // The cursor

  moveTo(step) {
    const distances = this.places.map((place) => Math.abs(place - step));
    const place = distances.indexOf(Math.min(...distances));
    if (place !== this.place) this.moveCursor(place);
  }

  moveCursor(place) {
    this.place = place;
    const step = this.places[place];
    const measured = this.evaluated.findLastIndex((other) => other <= step);
    const values = {
      training: this.run.training[place], norm: this.run.norm[place],
      validation: this.run.validation[measured], evaluated: this.evaluated[measured],
    };
    this.slider.value = place;
    if (this.chart) this.chart.moveTo(step, values);
    const parts = [["step", String(step)]];
    const trend = this.smooth.checked ? this.smoothedRun[place] ?? null : null;
    if (step < this.steps) parts.push(["training", shown(values.training), trend === null ? "" : ` (smoothed ${shown(trend)})`]);
    parts.push(["validation", shown(values.validation), values.evaluated === step ? "" : ` (at step ${values.evaluated})`]);
    if (step < this.steps) parts.push(["gradient", shown(values.norm)]);
    this.readout.replaceChildren(...parts.flatMap(([name, value, more = ""], i) =>
      [i ? ", " : "", make("span", { "data-value": name }, `${name}\u00a0`, make("b", { text: value })), more]));
    // The slider says it, and the output beside it keeps silent, or all would be said twice.
    this.slider.setAttribute("aria-valuetext", this.readout.textContent);
  }

  // The diagnosis

  // What the texts of a diagnosis may say of the run.
  get numbers() {
    const { training, validation, norm } = this.run;
    const healthy = this.healthy ?? this.run;
    const end = validation.at(-1);
    const parted = validation.findIndex((x, i) => x < healthy.validation[i] - 0.1);
    const { settings } = this.data;
    return {
      first: shown(training[0]), last: shown(training.at(-1)), valid: shown(end),
      best: shown(lowest(validation)), bestStep: this.evaluated[validation.indexOf(lowest(validation))],
      leastNorm: shown(lowest(norm)),
      healthyValid: shown(healthy.validation.at(-1)), healthyLeastNorm: shown(lowest(healthy.norm)),
      uniform: shown(this.references[0].value), letters: shown(this.references[1].value), pairs: shown(this.references[2].value),
      // The step at which the healthy run's validation was first below this run's last one.
      passed: this.evaluated[healthy.validation.findIndex((x) => x < end)],
      // The measurement that first finds this run well below the healthy one, and the one before it.
      parted: this.evaluated[parted], beside: this.evaluated[parted - 1],
      few: number(settings.few), rounds: Math.round((settings.steps * settings.batch_size * settings.context_length) / settings.few),
    };
  }

  // The words about a run that reaches nan.
  get ending() {
    const ended = this.run.training.indexOf(null);
    return ended < 0 ? undefined
      : `From step ${this.logged[ended]} on the training loss is nan: a number became too large for a float, and nothing that is computed with it can be read. The curves end there.`;
  }

  ask() {
    this.reveal.hidden = this.code.hidden = this.at === 0;
    if (this.at === 0) {
      this.question.textContent = "This run is as it should be. Learn its shape.";
      this.choices.replaceChildren(make("p", { text: `Then go on to the ${count(DIAGNOSES.length, "run")} with one planted fault each: the healthy run stays behind them in grey.` }),
        make("button", { type: "button", class: "mg-button", text: "To run 1", click: () => { this.show(1); this.choices.querySelector("button").focus(); } }));
      this.feedback.replaceChildren(make("ul", {}, ...HEALTHY.map((text) => make("li", { text: text(this.numbers) }))));
      return;
    }
    const { choices, known } = DIAGNOSES[this.at - 1];
    this.question.textContent = "What is wrong with this run?";
    this.choices.replaceChildren(
      ...[known, this.ending].filter(Boolean).map((text) => make("p", { class: "mg-known", text })),
      ...choices.map((key) => make("button", { type: "button", class: "mg-button mg-choice", "data-answer": key, click: () => this.answer(key) },
        make("span", { text: ANSWERS[key].label }), make("span", { class: "mg-verdict" }))));
    this.judge();
    this.showCode();
  }

  answer(key) {
    const progress = this.progress[this.at - 1];
    progress.tried.add(key);
    progress.said = key;
    this.count();
    this.judge();
    const said = [...this.feedback.querySelectorAll("p, dt, dd")].map((part) => part.textContent);
    this.live.textContent = said.join(" ");
  }

  judge() {
    const diagnosis = DIAGNOSES[this.at - 1];
    const { tried, said } = this.progress[this.at - 1];
    for (const button of this.choices.querySelectorAll("button")) {
      const key = button.dataset.answer;
      const verdict = !tried.has(key) ? undefined : key === diagnosis.answer ? "right" : "wrong";
      button.dataset.verdict = verdict ?? "";
      button.querySelector(".mg-verdict").textContent = { right: "✓ right", wrong: "✗ wrong" }[verdict] ?? "";
    }
    if (said === undefined) {
      this.feedback.replaceChildren(make("p", { class: "mg-note", text: "Choose an answer. Whether it is right is said here, and why." }));
    } else if (said !== diagnosis.answer) {
      this.feedback.replaceChildren(make("p", {}, make("strong", { text: "Wrong: " }), ANSWERS[said].looks));
    } else {
      const part = (title, text) => [make("dt", { text: title }), make("dd", { text })];
      this.feedback.replaceChildren(
        make("p", {}, make("strong", { text: "Right: " }), `${ANSWERS[said].label[0].toLowerCase()}${ANSWERS[said].label.slice(1)}.`),
        make("dl", {},
          ...part("What gives it away", diagnosis.evidence(this.numbers)),
          ...part("How to confirm it", typeof diagnosis.confirm === "string" ? diagnosis.confirm : diagnosis.confirm(this.numbers)),
          ...part("The fix", diagnosis.fix)));
    }
  }

  showCode() {
    const { right, planted } = DIAGNOSES[this.at - 1];
    const { open } = this.progress[this.at - 1];
    this.reveal.textContent = `${open ? "Hide" : "Show"} the planted bug`;
    this.reveal.setAttribute("aria-expanded", String(open));
    this.code.hidden = !open;
    const block = (title, text) => [make("p", { class: "mg-label", text: title }), make("code", { class: "mg-code", text })];
    this.code.replaceChildren(...open ? [...block("As it should be", right), ...block("As it ran", planted)] : []);
  }
}

if (!customElements.get("loss-curves")) customElements.define("loss-curves", LossCurves);
