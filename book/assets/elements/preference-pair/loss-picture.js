// DPO's loss against the margin, as SVG in the pixels of the screen, with the pair as a point.

import { line, linearScale, svg } from "../../parts/curves.js";
import { dpo } from "./dpo.js";

const MARGIN = { left: 34, right: 10, top: 24, bottom: 40 };
const HEIGHT = 220;
const [FARTHEST, HIGHEST] = [6, 6.5];  // the margin that the sliders reach, and its loss
const REACH = 1.2;                     // of the tangent to either side, in units of the margin

export function drawLoss(picture, { margin, agreement, loss }) {
  const width = picture.clientWidth;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];
  const x = linearScale(-FARTHEST, FARTHEST, left, right, width > 420 ? 6 : 4);
  const y = linearScale(0, HIGHEST, bottom, top, 4);
  const text = (name, px, py, words, anchor) => svg("text", { class: `mg-${name}`, x: px, y: py, "text-anchor": anchor, text: words.replace("-", "−") });
  const grid = y.ticks.flatMap((tick) => [
    svg("line", { class: "mg-grid", x1: left, x2: right, y1: y.at(tick), y2: y.at(tick) }), text("tick", left - 6, y.at(tick) + 4, String(tick), "end")]);
  const marks = x.ticks.flatMap((tick) => [
    svg("line", { class: tick ? "mg-grid" : "mg-frame", x1: x.at(tick), x2: x.at(tick), y1: top, y2: bottom }), text("tick", x.at(tick), bottom + 15, String(tick), "middle")]);
  const margins = Array.from({ length: 121 }, (_, i) => FARTHEST * (i / 60 - 1));
  const slope = agreement - 1;  // of the loss, as the margin grows
  const ends = [-REACH, REACH].map((step) => [margin + step, loss + slope * step]);
  const [px, py] = [x.at(margin), y.at(loss)];
  picture.replaceChildren(
    ...grid, ...marks,
    svg("path", { class: "mg-frame", d: `M${left} ${top}V${bottom}H${right}` }),
    text("axis", 2, 14, "loss in nats", "start"),
    text("tick", left, HEIGHT - 6, "← disagrees", "start"),
    text("axis", x.at(0), HEIGHT - 6, "margin", "middle"),
    text("tick", right, HEIGHT - 6, "agrees →", "end"),
    svg("path", { class: "mg-loss", d: line(margins.map((m) => dpo(m, 0, 1).loss), margins, x.at, y.at) }),
    svg("path", { class: "mg-tangent", d: `M${x.at(ends[0][0])} ${y.at(ends[0][1])}L${x.at(ends[1][0])} ${y.at(ends[1][1])}` }),
    svg("path", { class: "mg-drop", d: `M${left} ${py}H${px}V${bottom}` }),
    svg("circle", { class: "mg-point", cx: px, cy: py, r: 6 }));
  picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  picture.setAttribute("height", HEIGHT);
}
