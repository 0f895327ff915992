// An attention map as a picture: the cells, the names beside them, and the chosen row or column.

import { make } from "./token-chips.js";

const LABEL = 64;        // pixels beside the map for the tokens' names

// How strongly a weight is tinted. The square root, as most weights are small; the legend shows it.
export const tint = (weight) => Math.sqrt(weight);

export class WeightMap {
  // explorer: the element, whose newest choice is drawn; attributes: of the canvas, its listeners
  // too.
  constructor(explorer, attributes) {
    this.explorer = explorer;
    this.canvas = make("canvas", attributes);
  }

  // Where the map's cells are: pixels before the first one, and a cell's side.
  get grid() {
    const side = this.canvas.clientWidth;
    const before = Math.min(LABEL, side / 5);
    return { side, before, step: (side - before) / this.explorer.size };
  }

  draw() {
    const { side, before, step } = this.grid;
    const { size, current: at, backward, cell } = this.explorer;
    if (!size || !side) return;
    const sharp = window.devicePixelRatio || 1;
    this.canvas.width = this.canvas.height = Math.round(side * sharp);
    const colours = getComputedStyle(this.canvas);
    const colour = (name) => colours.getPropertyValue(name).trim();
    const context = this.canvas.getContext("2d");
    context.scale(sharp, sharp);
    context.imageSmoothingEnabled = false;
    const cells = paint(document.createElement("canvas"), this.explorer.shownMap, size, colours);
    context.drawImage(cells, before, before, side - before, side - before);

    context.strokeStyle = colour("--mg-hue-2");
    context.lineWidth = 2;
    if (backward) context.strokeRect(before + at * step, before + at * step, step, side - before - at * step - 1);
    else context.strokeRect(before, before + at * step, (at + 1) * step, step);
    if (cell) {
      context.strokeStyle = colour("--mg-ink");
      context.strokeRect(before + cell[1] * step, before + cell[0] * step, step, step);
    }
    const [query, key] = cell ?? (backward ? [undefined, at] : [at, undefined]);
    context.textBaseline = "middle";
    context.save();
    context.textAlign = "right";
    context.translate(before - 5, 0);
    this.drawNames(context, colour, query);
    context.restore();
    // Columns' names are those of rows, turned by a quarter, with the ends at the map's top.
    context.transform(0, -1, 1, 0, 0, before - 5);
    this.drawNames(context, colour, key);
  }

  // The tokens' names in a column that ends or starts beside the map: as many as there is room
  // for, and the chosen one in any case.
  drawNames(context, colour, chosen) {
    const { before, step } = this.grid;
    const every = Math.ceil(11 / step);
    for (let i = 0; i < this.explorer.size; i++) {
      if (i !== chosen && (i % every || Math.abs(i - chosen) * step < 11)) continue;
      context.font = `${i === chosen ? "bold " : ""}11px ${colour("--mg-mono")}`;
      context.fillStyle = colour(i === chosen ? "--mg-ink" : "--mg-muted");
      const name = this.explorer.named(i);
      context.fillText(name.length > 8 ? `${name.slice(0, 7)}…` : name, 0, before + (i + 0.5) * step);
    }
  }

  cellAt(event) {
    const { before, step } = this.grid;
    const box = this.canvas.getBoundingClientRect();
    const cell = [event.clientY - box.top, event.clientX - box.left]
      .map((place) => Math.floor((place - before) / step));
    return cell.every((i) => i >= 0 && i < this.explorer.size) ? cell : undefined;
  }
}

// A map, one pixel a cell; what may not be looked at stays empty.
export function paint(canvas, weights, size, colours) {
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  for (let query = 0; query < size; query++) {
    context.globalAlpha = 1;
    context.fillStyle = colours.getPropertyValue("--mg-raised").trim();
    context.fillRect(0, query, query + 1, 1);
    context.fillStyle = colours.getPropertyValue("--mg-weight").trim();
    for (let key = 0; key <= query; key++) {
      context.globalAlpha = tint(weights[query * size + key]);
      context.fillRect(key, query, 1, 1);
    }
  }
  return canvas;
}
