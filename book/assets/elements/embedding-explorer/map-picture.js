// The picture of the map: its points, the journey from one view to another, and the labels.

import { make } from "../../parts/token-chips.js";
import { KINDS } from "./token-kinds.js";

const PACE = 500;         // milliseconds of a journey from one map to the other
const MARGIN = 14;        // pixels around the points
const REACH = 20;         // pixels around a press or the pointer in which a point is found

const mix = (a, b, t) => a + (b - a) * t;
export const clamp = (x, low, high) => Math.max(low, Math.min(x, high));

export class MapPicture {
  view = { progress: 1, zoom: 1, x: 0, y: 0 };  // what is drawn, perhaps half-way to another view

  // explorer: what has {map, when, zoom, picked, pointed, unseen}, as the reader set them; attributes:
  // of the canvas, its listeners too.
  constructor(explorer, attributes) {
    this.explorer = explorer;
    this.canvas = make("canvas", attributes);
  }

  // Draw when there is room or another, and in the colours of the page.
  watch() {
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    new MutationObserver(() => { this.colours = undefined; this.draw(); })
      .observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  // The neighbours of the picked token.
  get near() {
    const { map, picked, when } = this.explorer;
    return map.neighbours(picked, when).map(({ id }) => id);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.explorer.map || !width) return;
    this.size = { width, height };
    this.ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.fitted = Object.fromEntries(Object.entries(this.explorer.map.tables).map(([when, { places }]) => [when, fit(places, width, height)]));
    this.colours = undefined;
    this.move(true);
  }

  // Go where `when`, `zoom` and `picked` say, in half a second or at once.
  move(atOnce = matchMedia("(prefers-reduced-motion: reduce)").matches) {
    if (!this.size) return;
    const { when, zoom, picked } = this.explorer;
    const { points, edges } = this.fitted[when];
    // Around the picked token, but no further than the points reach.
    const middle = (axis, size) => {
      const seen = (size / 2 - MARGIN) / zoom;
      const [low, high] = edges[axis];
      return high - low <= 2 * seen ? (low + high) / 2 : clamp(points[2 * picked + axis], low + seen, high - seen);
    };
    const goal = {
      progress: Number(when === "after"), zoom,
      x: middle(0, this.size.width), y: middle(1, this.size.height),
    };
    cancelAnimationFrame(this.frame);
    const from = this.view;
    const still = Object.keys(goal).every((key) => goal[key] === from[key]);
    if (atOnce || still) {
      this.view = goal;
      this.moving = false;
      this.draw();
      return;
    }
    const start = performance.now();
    const step = (now) => {
      const t = clamp((now - start) / PACE, 0, 1);
      const eased = t * t * (3 - 2 * t);
      this.view = t === 1 ? goal : Object.fromEntries(Object.keys(goal).map((key) => [key, mix(from[key], goal[key], eased)]));
      this.moving = t < 1;
      this.draw();
      if (this.moving) this.frame = requestAnimationFrame(step);
    };
    this.moving = true;
    this.frame = requestAnimationFrame(step);
  }

  // Where a token is drawn; the number after the last token stands for the middle of the table.
  point(id) {
    const { progress, zoom, x, y } = this.view;
    const { before, after } = this.fitted;
    return [
      this.size.width / 2 + zoom * (mix(before.points[2 * id], after.points[2 * id], progress) - x),
      this.size.height / 2 + zoom * (mix(before.points[2 * id + 1], after.points[2 * id + 1], progress) - y),
    ];
  }

  nearest({ offsetX, offsetY }) {
    if (!this.size) return undefined;
    const { map, picked, unseen } = this.explorer;
    const marked = new Set([picked, ...this.near]);
    let best, least = REACH;
    for (const { id, kind } of map.tokens) {
      if (unseen.has(kind) && !marked.has(id)) continue;
      const [x, y] = this.point(id);
      const distance = Math.hypot(x - offsetX, y - offsetY);
      if (distance < least) [best, least] = [id, distance];
    }
    return best;
  }

  paint() {
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(`--mg-${name}`).trim();
    this.colours = {
      ...Object.fromEntries(["ink", "page", "muted", "rule"].map((name) => [name, colour(name)])),
      kinds: KINDS.map(({ hue }) => colour(`hue-${hue}`)), font: `13px ${colour("mono")}`,
    };
    this.stamps = new Map();
  }

  // A kind's shape as a small picture: thousands of them are stamped much faster than drawn.
  stamp(kind, radius) {
    const key = `${kind} ${radius}`;
    if (!this.stamps.has(key)) {
      const side = Math.ceil((2.8 * radius + 2) * this.ratio);
      const canvas = make("canvas", { width: side, height: side });
      const context = canvas.getContext("2d");
      context.setTransform(radius * this.ratio, 0, 0, radius * this.ratio, side / 2, side / 2);
      context.fillStyle = this.colours.kinds[kind];
      context.fill(new Path2D(KINDS[kind].shape));
      this.stamps.set(key, { canvas, side: side / this.ratio });
    }
    return this.stamps.get(key);
  }

  draw() {
    if (!this.size) return;
    if (!this.colours) this.paint();
    const { map: { tokens, worthALabel }, zoom, picked, pointed, unseen } = this.explorer;
    const { width, height } = this.size;
    const { ink, page, muted, rule, font } = this.colours;
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const line = (...points) => {
      context.beginPath();
      for (const [x, y] of points) context.lineTo(x, y);
      context.stroke();
    };

    const [middleX, middleY] = this.point(tokens.length);
    context.lineWidth = 1;
    context.strokeStyle = rule;
    line([0, middleY], [width, middleY]);
    line([middleX, 0], [middleX, height]);

    const radius = Math.round(10 * (width < 480 ? 1.7 : 2.2) * this.view.zoom ** 0.3) / 10;
    context.globalAlpha = 0.85;
    for (let id = tokens.length - 1; id >= 0; id--) {  // small ids, the frequent tokens, on top
      const { kind } = tokens[id];
      if (unseen.has(kind)) continue;
      const [x, y] = this.point(id);
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      const { canvas, side } = this.stamp(kind, radius);
      context.drawImage(canvas, x - side / 2, y - side / 2, side, side);
    }
    context.globalAlpha = 1;

    const { near } = this;
    const from = this.point(picked);
    context.strokeStyle = muted;
    for (const id of near) line(from, this.point(id));
    for (const id of [...near].reverse()) this.mark(context, id, radius + 1.5, 1.25);
    if (pointed !== undefined) this.mark(context, pointed, radius + 2, 2);
    this.mark(context, picked, radius + 3.5, 2.5);

    context.font = font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = page;
    context.fillStyle = ink;
    const taken = [{ left: width - (zoom > 1 ? 140 : 100), right: width, top: 0, bottom: 56 }];  // the zoom
    for (const [x, y] of [picked, ...near].map((id) => this.point(id))) {
      taken.push({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
    }
    const label = (id, always) => this.label(context, id, radius + 5, taken, always);
    label(picked, true);
    if (pointed !== undefined) label(pointed, true);
    for (const id of near) label(id);
    if (this.moving) return;
    let left = Math.round(width * height / 7000);  // more would be in one another's way
    for (const id of worthALabel) {
      if (!unseen.has(tokens[id].kind) && label(id) && --left === 0) return;
    }
  }

  mark(context, id, radius, edge) {
    const { kind } = this.explorer.map.tokens[id];
    const [x, y] = this.point(id);
    context.save();
    context.translate(x, y);
    context.scale(radius, radius);
    const shape = new Path2D(KINDS[kind].shape);
    context.lineWidth = edge / radius;
    context.fillStyle = this.colours.kinds[kind];
    context.strokeStyle = this.colours.ink;
    context.fill(shape);
    context.stroke(shape);
    context.restore();
  }

  // Write a token beside its point where no other label stands; false if there is no room.
  label(context, id, gap, taken, always = false) {
    const { width, height } = this.size;
    const [x, y] = this.point(id);
    if (x < 0 || y < 0 || x > width || y > height) return false;
    const { shown } = this.explorer.map.tokens[id];
    const wide = context.measureText(shown).width;
    const spots = [[x + gap, y], [x - gap - wide, y], [x - wide / 2, y - gap - 7], [x - wide / 2, y + gap + 7]];
    const box = ([left, at]) => ({ left: left - 2, right: left + wide + 2, top: at - 8, bottom: at + 8 });
    const inside = ({ left, right, top, bottom }) => left >= 0 && top >= 0 && right <= width && bottom <= height;
    const free = (a) => inside(a) && taken.every((b) => a.right < b.left || a.left > b.right || a.bottom < b.top || a.top > b.bottom);
    const spot = spots.find((at) => free(box(at))) ?? (always ? spots.find((at) => inside(box(at))) ?? spots[0] : undefined);
    if (!spot) return false;
    taken.push(box(spot));
    context.strokeText(shown, ...spot);
    context.fillText(shown, ...spot);
    return true;
  }
}

// Where the points of a map stand that fills the picture, in pixels and with one scale for both
// axes, and between which edges. After the last token comes the middle of the table, (0, 0).
function fit(places, width, height) {
  const range = (axis) => {
    const values = places.filter((_, i) => i % 2 === axis);
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  };
  const ranges = [range(0), range(1)];
  const [across, up] = ranges.map(([low, high]) => high - low);
  const scale = Math.min((width - 2 * MARGIN) / across, (height - 2 * MARGIN) / up);
  const middles = [width / 2, height / 2];
  const directions = [scale, -scale];  // pixels count downwards
  const points = Float32Array.from([...places, 0, 0], (value, i) => {
    const [low, high] = ranges[i % 2];
    return middles[i % 2] + directions[i % 2] * (value - (low + high) / 2);
  });
  const edges = middles.map((at, axis) => [at - (scale * [across, up][axis]) / 2, at + (scale * [across, up][axis]) / 2]);
  return { points, edges };
}
