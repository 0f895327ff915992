// What curves are drawn with, as SVG in the pixels of the screen.

const NS = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// The running average that every tool of the trade draws: each point keeps `weight` of the past.
// The division undoes the pull of the start, where there is no past yet.
export function smoothed(values, weight = 0.9) {
  let sum = 0;
  let part = 0;
  let ended = false;
  return values.map((x) => {
    ended ||= x === null;
    if (ended) return null;
    sum = weight * sum + (1 - weight) * x;
    part = weight * part + (1 - weight);
    return sum / part;
  });
}

// A place for every value: {at(value), ticks}, from `bottom` up to `top` in pixels.
export function linearScale(least, most, bottom, top, wanted) {
  const rough = (most - least) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const ticks = [];
  for (let i = Math.ceil(least / step); i * step <= most * (1 + 1e-9); i += 1) ticks.push(Number((i * step).toPrecision(6)));
  return { at: (x) => bottom + ((x - least) / (most - least)) * (top - bottom), ticks };
}

// A path through the values; it ends where they do, and goes on where they come back.
export function line(values, xs, x, y) {
  let path = "";
  let open = false;
  values.forEach((value, i) => {
    if (value === null) { open = false; return; }
    path += `${open ? "L" : "M"}${x(xs[i]).toFixed(1)} ${y(value).toFixed(1)}`;
    open = true;
  });
  return path;
}
