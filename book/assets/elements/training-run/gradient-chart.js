// How large the gradients of the tables and of each block are, look by look, on a scale of tens.

import { line, svg } from "../../parts/curves.js";
import { spread } from "./run-chart.js";

const MARGIN = { left: 46, right: 62, top: 10, bottom: 22 };
const HEIGHT = 190;
const EMPTY = [1e-4, 1e-1];  // what the scale shows before the first look

// "0.0031": two digits that count.
export const sizeText = (size) => (Number.isFinite(size) ? (size && (size < 1e-5 || size >= 1e4) ? size.toExponential(0) : String(Number(size.toPrecision(2)))) : "no number");

// [{name, values}], one of the tables and one of each block. A value that a logarithm has not is null.
export function seriesOf(looks) {
  const known = looks.filter(({ gradients }) => gradients);
  const log = (size) => (size > 0 && size < Infinity ? Math.log10(size) : null);
  const blocks = known[0]?.gradients.blocks.length ?? 0;
  return {
    steps: known.map(({ step }) => step),
    series: [
      { name: "tables", values: known.map(({ gradients }) => log(gradients.tables)) },
      ...Array.from({ length: blocks }, (_, i) => ({ name: `block ${i + 1}`, values: known.map(({ gradients }) => log(gradients.blocks[i])) })),
    ],
  };
}

// Whole powers of ten that hold all logarithms: {least, most}.
function tens(logs) {
  const least = Math.floor(Math.min(...logs));
  return { least, most: Math.max(Math.ceil(Math.max(...logs)), least + 1) };
}

const powerText = (power) => (Math.abs(power) > 3 ? `1e${power}` : String(Number((10 ** power).toPrecision(1))));

// at: the look that is shown, or nothing. steps: of the whole run.
export function drawGradients(picture, looks, { at, steps }) {
  const width = picture.clientWidth;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];
  const found = seriesOf(looks);
  const logs = found.series.flatMap(({ values }) => values.filter((value) => value !== null));
  const { least, most } = tens(logs.length ? logs : EMPTY.map(Math.log10));
  const x = (step) => left + (step / steps) * (right - left);
  const y = (log) => bottom - ((log - least) / (most - least)) * (bottom - top);
  const parts = [];
  const add = (tag, name, attributes) => parts.push(svg(tag, { class: `mg-${name}`, ...attributes }));
  for (let power = least; power <= most; power += Math.ceil((most - least) / 5)) {
    add("line", "grid", { x1: left, x2: right, y1: y(power), y2: y(power) });
    add("text", "tick", { x: left - 6, y: y(power) + 4, "text-anchor": "end", text: powerText(power) });
  }
  add("path", "frame", { d: `M${left} ${top}V${bottom}H${right}` });
  add("text", "tick", { x: right, y: HEIGHT - 6, "text-anchor": "end", text: `step ${steps}` });
  if (at?.gradients) add("line", "at", { x1: x(at.step), x2: x(at.step), y1: top, y2: bottom });
  drawSeries(found, { x, y, top, bottom, right, add });
  picture.replaceChildren(...parts);
  picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  picture.setAttribute("height", HEIGHT);
}

function drawSeries({ steps, series }, { x, y, top, bottom, right, add }) {
  const ends = series.map(({ values }) => values.findLast((value) => value !== null));
  const heights = spread(ends.map((end) => (end === undefined ? bottom : y(end))), { top: top + 4, bottom });
  series.forEach(({ name, values }, i) => {
    add("path", `gradient mg-gradient-${i % 5}`, { d: line(values, steps, x, y) });
    if (ends[i] !== undefined) add("text", "gradient-name", { x: right + 5, y: (heights[i] + 4).toFixed(1), text: name });
  });
}

export function gradientsInWords(look) {
  if (!look?.gradients) return "Nothing yet: the first look tells.";
  const { tables, blocks } = look.gradients;
  return [`tables ${sizeText(tables)}`, ...blocks.map((size, i) => `block ${i + 1} ${sizeText(size)}`)].join(", ");
}
