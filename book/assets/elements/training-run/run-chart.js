// The picture of a run: its losses, those of earlier runs, and what guessing, counting pairs and the
// models of the book reach.

import { line, linearScale, smoothed, svg } from "../../parts/curves.js";
import { letter, nats } from "./run-words.js";

const MARGIN = { left: 40, right: 8, top: 24, bottom: 36 };
const HEIGHT = { plain: 260, compact: 190, ladder: 320 };
const NAMES = 150;       // pixels at the right for the names of a ladder, with their losses
const NARROW = { width: 480, names: 112 };  // without
const POINTS = 500;      // of a curve that are drawn, at most
const ABOVE = 1.25;      // times what guessing reaches, where the picture ends
const APART = 14;        // pixels between two names
export const WEIGHT = 0.95;  // of the past, in the smoothed loss

// Some of the places of a curve, the last one among them.
function places(length) {
  const every = Math.max(1, Math.ceil(length / POINTS));
  return Array.from({ length: Math.ceil(length / every) }, (_, i) => length - 1 - i * every).reverse();
}

// Heights of names, in their order, moved as little as keeps them apart and inside.
export function spread(heights, { apart = APART, top, bottom }) {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  const places = [...heights];
  order.forEach((i, rank) => { places[i] = Math.max(heights[i], rank ? places[order[rank - 1]] + apart : top); });
  order.reverse().forEach((i, rank) => { places[i] = Math.min(places[i], rank ? places[order[rank - 1]] - apart : bottom); });
  return places;
}

// runs: the earlier ones and the current one last, {losses, looks, facts, order}. at: the look that
// is shown, or nothing. ladder: [{rung, loss}], or nothing. unit: of the losses. Returns the
// smoothed losses of the current run.
export function drawRun(picture, runs, { compact, at, ladder, unit }) {
  const frame = frameOf(picture, runs, { compact, ladder, unit });
  const { x, y, top, bottom, right, add } = frame;
  const current = runs.at(-1);
  axes(frame);
  const { guessing, pairs, unread } = current.facts;  // before a text is read, only where the picture ends
  const reached = unread ? [] : [[guessing, "guessing"], [pairs, "counting pairs"]].filter(([value]) => value !== null);
  for (const [value] of reached) add("line", "reference", { x1: frame.left, x2: right, y1: y(value), y2: y(value) });
  runs.slice(0, -1).forEach((run, i) => curves(run, frame, `earlier mg-earlier-${i % 4} mg-`));
  const smooth = curves(current, frame, "", true);
  for (const { step, loss } of current.looks) add("circle", "evaluation", { cx: x(step), cy: y(loss), r: 2.5 });
  if (at && !compact) {
    add("line", "at", { x1: x(at.step), x2: x(at.step), y1: top, y2: bottom });
    add("circle", "at-look", { cx: x(at.step), cy: y(at.loss), r: 4.5 });
  }
  letters(runs.slice(0, -1), frame);  // names last, so that no curve hides them
  if (ladder) marks([...reached.map(([loss, rung]) => ({ rung, loss })), ...ladder], frame);
  else names(reached, frame);
  picture.replaceChildren(...frame.parts);
  picture.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  picture.setAttribute("height", frame.height);
  return smooth;
}

function frameOf(picture, runs, { compact, ladder, unit = "loss, nats a token" }) {
  const width = picture.clientWidth;
  const height = HEIGHT[compact ? "compact" : ladder ? "ladder" : "plain"];
  const narrow = width < NARROW.width;
  const room = ladder ? (narrow ? NARROW.names : NAMES) : 0;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right - room, MARGIN.top, height - MARGIN.bottom];
  const steps = Math.max(...runs.map(({ order }) => order.recipe.steps));
  const most = ABOVE * Math.max(...runs.map(({ facts }) => facts.guessing));
  const scale = linearScale(0, most, bottom, top, 5);
  const parts = [];
  const add = (tag, name, attributes) => parts.push(svg(tag, { class: `mg-${name}`, ...attributes }));
  const text = (name, px, py, words, anchor) => add("text", name, { x: px.toFixed(1), y: py.toFixed(1), "text-anchor": anchor, text: words });
  return {
    width, height, narrow, left, right, top, bottom, steps, scale, parts, add, text, unit,
    x: (step) => left + (step / steps) * (right - left), y: (loss) => scale.at(Math.min(loss, most)),
  };
}

function axes({ scale, x, steps, left, right, top, bottom, height, unit, add, text }) {
  for (const tick of scale.ticks) {
    add("line", "grid", { x1: left, x2: right, y1: scale.at(tick), y2: scale.at(tick) });
    text("tick", left - 6, scale.at(tick) + 4, String(tick), "end");
  }
  add("path", "frame", { d: `M${left} ${top}V${bottom}H${right}` });
  for (const share of [0, 0.5, 1]) text("tick", x(share * steps), bottom + 16, String(Math.round(share * steps)), ["start", "middle", "end"][2 * share]);
  text("axis", 2, 14, unit, "start");
  text("axis", right - 2, height - 6, "step", "end");
}

function names(reached, { right, y, text }) {
  const named = [];
  for (const [value, name] of reached) {
    if (named.some((other) => Math.abs(other - y(value)) < APART)) continue;
    named.push(y(value));
    text("name", right - 2, y(value) - 4, `${name} ${nats(value)}`, "end");
  }
}

// At the right edge, each with a line to its height.
function marks(rungs, { right, y, top, bottom, narrow, add, text }) {
  const heights = rungs.map(({ loss }) => y(loss));
  spread(heights, { top: top + 4, bottom }).forEach((place, i) => {
    add("path", "mark", { d: `M${right - 4} ${heights[i].toFixed(1)}H${right + 3}L${right + 12} ${place.toFixed(1)}` });
    text("rung", right + 15, place + 4, narrow ? rungs[i].rung : `${rungs[i].rung} ${nats(rungs[i].loss)}`, "start");
  });
}

// Each earlier curve has a letter where it ends: hues alone do not tell them apart.
function letters(runs, { x, y, top, bottom, text }) {
  const ends = runs.map(({ looks }) => looks.at(-1)).map((look) => (look ? [x(look.step), y(look.loss)] : undefined));
  const heights = spread(ends.map((end) => end?.[1] ?? bottom), { apart: 13, top: top + 8, bottom });
  ends.forEach((end, i) => { if (end) text(`letter mg-letter-${i % 4}`, Math.max(end[0] - 4, x(0) + 14), heights[i] - 3, letter(i), "end"); });
}

// A loss belongs to the weights before its step.
function curves({ losses, looks }, { add, x, y }, prefix, raw) {
  const smooth = smoothed(losses, WEIGHT);
  const shown = places(losses.length);
  const path = (values) => line(shown.map((i) => values[i]), shown, x, y);
  if (raw) add("path", "raw", { d: path(losses) });
  add("path", `${prefix}training`, { d: path(smooth) });
  add("path", `${prefix}validation`, { d: line(looks.map(({ loss }) => loss), looks.map(({ step }) => step), x, y) });
  return smooth;
}
