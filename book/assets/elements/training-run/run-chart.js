// The picture of a run: its losses, those of earlier runs, and what guessing and counting pairs reach.

import { line, linearScale, smoothed, svg } from "../../parts/curves.js";
import { nats } from "./run-words.js";

const MARGIN = { left: 40, right: 8, top: 24, bottom: 36 };
const HEIGHT = { plain: 260, compact: 190 };
const POINTS = 500;      // of a curve that are drawn, at most
const ABOVE = 1.25;      // times what guessing reaches, where the picture ends
const APART = 15;        // pixels between two names
export const WEIGHT = 0.95;  // of the past, in the smoothed loss

// Some of the places of a curve, the last one among them.
function places(length) {
  const every = Math.max(1, Math.ceil(length / POINTS));
  return Array.from({ length: Math.ceil(length / every) }, (_, i) => length - 1 - i * every).reverse();
}

// runs: the earlier ones and the current one last, {losses, looks, facts, order}. at: the look that
// is shown, or nothing. Returns the smoothed losses of the current run.
export function drawRun(picture, runs, { compact, at }) {
  const width = picture.clientWidth;
  const height = HEIGHT[compact ? "compact" : "plain"];
  const current = runs.at(-1);
  const { guessing, pairs } = current.facts;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const steps = Math.max(...runs.map(({ order }) => order.recipe.steps));
  const most = ABOVE * Math.max(...runs.map(({ facts }) => facts.guessing));
  const x = (step) => left + (step / steps) * (right - left);
  const scale = linearScale(0, most, bottom, top, 5);
  const y = (loss) => scale.at(Math.min(loss, most));

  const parts = [];
  const add = (tag, name, attributes) => parts.push(svg(tag, { class: `mg-${name}`, ...attributes }));
  const text = (name, px, py, words, anchor) => add("text", name, { x: px.toFixed(1), y: py.toFixed(1), "text-anchor": anchor, text: words });
  for (const tick of scale.ticks) {
    add("line", "grid", { x1: left, x2: right, y1: scale.at(tick), y2: scale.at(tick) });
    text("tick", left - 6, scale.at(tick) + 4, String(tick), "end");
  }
  add("path", "frame", { d: `M${left} ${top}V${bottom}H${right}` });
  for (const share of [0, 0.5, 1]) text("tick", x(share * steps), bottom + 16, String(Math.round(share * steps)), ["start", "middle", "end"][2 * share]);
  text("axis", 2, 14, "loss, nats a token", "start");
  text("axis", right, height - 4, "step", "end");

  const reached = [[guessing, "guessing"], [pairs, "counting pairs"]].filter(([value]) => value !== null);
  for (const [value] of reached) add("line", "reference", { x1: left, x2: right, y1: y(value), y2: y(value) });

  runs.slice(0, -1).forEach(({ losses, looks }, i) => curves({ losses, looks, add, x, y, prefix: `earlier mg-earlier-${i % 4} mg-` }));
  const smooth = curves({ ...current, add, x, y, prefix: "", raw: true });
  for (const { step, loss } of current.looks) add("circle", "evaluation", { cx: x(step), cy: y(loss), r: 2.5 });
  if (at && !compact) {
    add("line", "at", { x1: x(at.step), x2: x(at.step), y1: top, y2: bottom });
    add("circle", "at-look", { cx: x(at.step), cy: y(at.loss), r: 4.5 });
  }
  const named = [];  // last, so that no curve hides them
  for (const [value, name] of reached) {
    if (named.some((other) => Math.abs(other - y(value)) < APART)) continue;
    named.push(y(value));
    text("name", right - 2, y(value) - 4, `${name} ${nats(value)}`, "end");
  }
  picture.replaceChildren(...parts);
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("height", height);
  return smooth;
}

// A loss belongs to the weights before its step.
function curves({ losses, looks, add, x, y, prefix, raw }) {
  const smooth = smoothed(losses, WEIGHT);
  const shown = places(losses.length);
  const path = (values) => line(shown.map((i) => values[i]), shown, x, y);
  if (raw) add("path", "raw", { d: path(losses) });
  add("path", `${prefix}training`, { d: path(smooth) });
  add("path", `${prefix}validation`, { d: line(looks.map(({ loss }) => loss), looks.map(({ step }) => step), x, y) });
  return smooth;
}
