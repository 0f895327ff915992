// The picture of <loss-curves>: two panels over one axis of steps, drawn as SVG in the pixels
// of the screen, so that text keeps its size on a phone.

import { line, linearScale, smoothed, svg } from "../../parts/curves.js";

const MARGIN = { left: 50, right: 10, top: 22, between: 34, bottom: 38 };
const NORM = 84;           // height of the gradient's panel
const LEAST = 1e-3;        // the lower end of a logarithmic axis: what is below is drawn there
const APART = 15;          // pixels between two labels
const TICK = { few: 4, many: 6 };

function logScale(least, most, bottom, top, wanted) {
  const [low, high] = [Math.log10(Math.max(least, LEAST)), Math.log10(most)];
  const within = (factors) => {
    const found = [];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const factor of factors) {
        const x = Number((factor * 10 ** power).toPrecision(3));
        if (Math.log10(x) >= low - 1e-9 && Math.log10(x) <= high + 1e-9) found.push(x);
      }
    }
    return found;
  };
  // As many as there is room for: whole decades, a few between them, or most of them.
  const all = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 6]].map(within);
  let ticks = all.findLast((found) => found.length <= wanted + 1) ?? all[0];
  const every = Math.ceil(ticks.length / (wanted + 1));
  ticks = ticks.filter((_, i) => (ticks.length - 1 - i) % every === 0);
  const at = (x) => bottom + ((Math.log10(Math.max(x, 10 ** low)) - low) / (high - low)) * (top - bottom);
  return { at, ticks, cut: least < LEAST };
}

const tickText = (x) => (x >= 1e5 || (x > 0 && x < 1e-3) ? x.toExponential(0).replace("+", "").replace("-", "−") : String(x));

const finite = (values) => values.filter((x) => x !== null);

// Draws into `picture`. Of `run` and `healthy`: training, validation and norm, each one value a
// place in `logged` or `evaluated`, null for nan. Returns what the cursor needs.
export function drawChart(picture, { run, healthy, logged, evaluated, steps, references, log, smooth }) {
  const width = picture.clientWidth;
  const wide = width > 480;
  const lossHeight = wide ? 290 : 250;
  const height = MARGIN.top + lossHeight + MARGIN.between + NORM + MARGIN.bottom;
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const x = (step) => left + (step / steps) * (right - left);
  const loss = { top: MARGIN.top, bottom: MARGIN.top + lossHeight };
  const norm = { top: loss.bottom + MARGIN.between, bottom: loss.bottom + MARGIN.between + NORM };

  const seen = [run, healthy].flatMap((r) => (r ? finite([...r.training, ...r.validation]) : []));
  const lines = references.map(({ value }) => value);
  const most = Math.max(...seen, ...lines) * (log ? 1.15 : 1.04);
  const least = Math.min(...seen.filter((value) => value > 0), ...lines);
  const wanted = wide ? TICK.many : TICK.few + 1;
  const y = log ? logScale(least * 0.9, most, loss.bottom, loss.top, wanted)
    : linearScale(0, most, loss.bottom, loss.top, wanted);
  const norms = [run, healthy].flatMap((r) => (r ? finite(r.norm).filter((value) => value > 0) : []));
  const z = logScale(Math.min(...norms) * 0.8, Math.max(...norms) * 1.25, norm.bottom, norm.top, TICK.few - 1);

  const parts = [];
  const add = (tag, name, attributes) => parts.push(svg(tag, { class: `mg-${name}`, ...attributes }));
  const text = (name, px, py, words, anchor = "start") => add("text", name, { x: px.toFixed(1), y: py.toFixed(1), "text-anchor": anchor, text: words });

  for (const [panel, scale] of [[loss, y], [norm, z]]) {
    for (const tick of scale.ticks) {
      const at = scale.at(tick);
      add("line", "grid", { x1: left, x2: right, y1: at, y2: at });
      text("tick", left - 6, at + 4, `${scale.cut && tick === LEAST ? "≤" : ""}${tickText(tick)}`, "end");
    }
    add("path", "frame", { d: `M${left} ${panel.top}V${panel.bottom}H${right}` });
  }
  const every = wide ? steps / 6 : steps / 3;
  for (let step = 0; step <= steps; step += every) {
    text("tick", x(step), norm.bottom + 16, String(Math.round(step)), step === steps ? "end" : "middle");
    add("line", "grid", { x1: x(step), x2: x(step), y1: norm.bottom, y2: norm.bottom + 4 });
  }
  text("axis", 2, 15, `loss in nats a token${log ? ", logarithmic" : ""}`);
  text("axis", 2, norm.top - 10, "length of the gradient, logarithmic");
  text("axis", right, height - 6, "step", "end");

  // Each reference line has its name where there is room; the legend has all of them.
  const named = [];
  for (const { value, name } of references) {
    const at = y.at(value);
    add("line", "reference", { x1: left, x2: right, y1: at, y2: at });
    if (named.some((other) => Math.abs(other - at) < APART)) continue;
    named.push(at);
    text("name", right - 2, at - 4, name, "end");
  }

  const curves = (r, prefix) => {
    const training = smooth ? smoothed(r.training) : r.training;
    if (smooth && r === run) add("path", "raw", { d: line(r.training, logged, x, y.at) });
    add("path", `${prefix}training${smooth ? " mg-smooth" : ""}`, { d: line(training, logged, x, y.at) });
    add("path", `${prefix}validation`, { d: line(r.validation, evaluated, x, y.at) });
    add("path", `${prefix}norm`, { d: line(r.norm, logged, x, z.at) });
  };
  if (healthy) curves(healthy, "healthy-");
  curves(run, "");
  run.validation.forEach((value, i) => {
    if (value !== null) add("circle", "evaluation", { cx: x(evaluated[i]), cy: y.at(value), r: 3 });
  });
  const ended = run.training.indexOf(null);
  if (ended >= 0) {
    const at = x(logged[ended]);
    add("line", "ended", { x1: at, x2: at, y1: loss.top, y2: norm.bottom });
    const past = at > (left + right) / 2;
    text("end", at + (past ? -6 : 6), loss.top + 14, `nan from step ${logged[ended]}`, past ? "end" : "start");
  }

  const cursor = svg("g", { class: "mg-cursor" });
  picture.replaceChildren(...parts, cursor);
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("height", height);

  return {
    // The step below a pixel of the picture.
    stepAt: (px) => Math.min(Math.max((px - left) / (right - left), 0), 1) * steps,
    // A line over both panels, and a mark on each curve that has a value there.
    moveTo(step, values) {
      const at = x(step);
      const marks = [["training", y], ["validation", y], ["norm", z]].filter(([name]) => values[name] !== null && values[name] !== undefined);
      cursor.replaceChildren(
        svg("line", { x1: at, x2: at, y1: loss.top, y2: norm.bottom }),
        ...marks.map(([name, scale]) => svg("circle", {
          class: `mg-at-${name}`, cx: name === "validation" ? x(values.evaluated) : at, cy: scale.at(values[name]), r: 4.5,
        })));
    },
  };
}
