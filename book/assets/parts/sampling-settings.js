// The settings of sampling as readers move them: where their sliders stop, sets to start from, and
// the words for what they do.

import { make, number } from "./token-chips.js";

export const UNCHANGED = { temperature: 1, top_k: null, top_p: null, min_p: null };
const PRESETS = [
  { label: "Greedy", brief: "τ 0", settings: { temperature: 0 } },
  { label: "As trained", brief: "τ 1", settings: {} },
  { label: "Careful", brief: "τ 0.7, p 0.9", settings: { temperature: 0.7, top_p: 0.9 } },
  { label: "Wild", brief: "τ 1.5", settings: { temperature: 1.5 } },
].map((preset) => ({ ...preset, settings: { ...UNCHANGED, ...preset.settings } }));
export const CAREFUL = PRESETS.find(({ label }) => label === "Careful").settings;

const hundredths = (from, to, by = 1) => Array.from({ length: (to - from) / by + 1 }, (_, i) => (from + i * by) / 100);

// "1, 2, 3, …, 1500, 2000, 3000, off": about evenly on a logarithmic scale.
function topKStops(size) {
  const stops = [1, 10, 100, 1000, 10000].flatMap((power) => [1, 1.5, 2, 3, 4, 5, 6, 8].map((n) => n * power));
  return [...stops.filter((n) => Number.isInteger(n) && n < size), null];
}

// In the order in which they act. `stops` are the values of the slider, for a vocabulary of some
// size; null is off.
export const SETTINGS = [
  { name: "temperature", label: "Temperature", stops: () => hundredths(0, 200, 5), text: (x) => x.toFixed(2) },
  { name: "top_k", label: "Top-k", stops: topKStops, text: number },
  { name: "top_p", label: "Top-p", stops: () => [...hundredths(1, 99), null], text: (x) => x.toFixed(2) },
  { name: "min_p", label: "Min-p", stops: () => [null, ...hundredths(1, 100)], text: (x) => x.toFixed(2) },
];
const LABELS = Object.fromEntries(SETTINGS.map(({ name, label }) => [name, label.toLowerCase()]));

export const equal = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);

// "temperature 0.70, top-p 0.90": those that are on.
export function settingsInWords(settings) {
  return SETTINGS.filter(({ name }) => name === "temperature" || settings[name] !== null)
    .map(({ name, text }) => `${LABELS[name]} ${text(settings[name])}`).join(", ");
}

// What ruled a token out, from the name of the step.
export const remover = (step) => (step === "temperature" ? "τ = 0" : LABELS[step]);

// {presets, sliders}: a button for each preset and a row for each setting. `size` is the
// vocabulary's; `change` is told {name: value, …} when the reader uses one of them.
export function settingControls({ id, size, change }) {
  const presets = PRESETS.map(({ label, brief, settings }) => make("button", {
    type: "button", class: "mg-button", click: () => change(settings),
  }, `${label} `, make("span", { class: "mg-brief", text: brief })));
  return { presets, sliders: SETTINGS.map(({ name }, i) => settingSlider(i, { id: `${id}-${name}`, size, change })) };
}

// removed(name): how many tokens a setting rules out, where that is known.
export function showSettings({ presets, sliders }, settings, removed = () => undefined) {
  presets.forEach((button, i) => button.setAttribute("aria-pressed", String(equal(PRESETS[i].settings, settings))));
  for (const row of sliders) showSetting(row, settings[row.name], removed(row.name));
}

// The slider of SETTINGS[i], with its name, a note and its value above it.
function settingSlider(i, { id, size, change }) {
  const { name, label, stops, text } = SETTINGS[i];
  const row = { name, label, text, stops: stops(size) };
  row.slider = make("input", {
    type: "range", id, class: "mg-slider", min: 0, max: row.stops.length - 1, "aria-describedby": `${id}-note`,
    input: () => change({ [name]: row.stops[Number(row.slider.value)] }),
  });
  row.value = make("span", { class: "mg-value", "aria-hidden": "true" });
  row.note = make("span", { class: "mg-note", id: `${id}-note` });
  row.box = make("div", { class: "mg-setting" },
    make("div", { class: "mg-setting-name" },
      make("span", { class: "mg-step", "aria-hidden": "true", text: i + 1 }), make("label", { for: id, text: label }), row.note, row.value),
    row.slider);
  return row;
}

function showSetting({ name, text, stops, slider, value, note }, setting, removed) {
  const said = setting === null ? "off" : text(setting);
  slider.value = stops.indexOf(setting);
  slider.setAttribute("aria-valuetext", said);
  value.textContent = said;
  if (name === "temperature") {
    note.textContent = setting === 0 ? "greedy" : setting < 1 ? "sharper" : setting > 1 ? "flatter" : "";
  } else {
    note.textContent = setting === null || removed === undefined ? "" : `removes ${removed ? number(removed) : "none"}`;
  }
}
