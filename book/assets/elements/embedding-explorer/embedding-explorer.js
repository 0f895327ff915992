// <embedding-explorer token="·king" when="after" zoom="2">: a map of all tokens by their vectors, before
// and after training, with the nearest neighbours of the one that the reader picks.
//
// The map's numbers (book/_ext/model_files.py computes them) are fetched when the element comes
// near the screen. For tests: load(), pick(id), place(id, when) in the table's unit,
// point(id) in pixels of the picture, neighbours(id, when).

import { fetched } from "../../engine/fetched.js";
import { readSafetensors } from "../../engine/safetensors.js";
import { whenNear } from "../../parts/near.js";
import { loadVocabulary, make, number, spelled } from "../../parts/token-chips.js";

const FILE = new URL("../../models/token-map.safetensors", import.meta.url);
const WHOLE = 32767;      // a cosine of 1 in the file
const PACE = 500;         // milliseconds of a journey from one map to the other
const MARGIN = 14;        // pixels around the points
const CLOSEST = 16;       // the largest zoom
const REACH = 20;         // pixels around a press or the pointer in which a point is found
const SUGGESTIONS = 8;
const WHENS = { before: "Before training", after: "After training" };

// Kinds of tokens, told apart by hue and by shape (a path within about 1 of the middle). A token
// is of the first kind that its text matches. Single bytes of longer characters, control characters
// and the end of a text are not text.
const KINDS = [
  { name: "lower case", hue: 1, test: /^ \p{Ll}/u, shape: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z" },
  { name: "CAPITALS", hue: 3, test: /^\p{Lu}+$|^ \p{Lu}{2,}$/u, shape: "M-.9-.9H.9V.9H-.9Z" },
  { name: "Capitalised", hue: 2, test: /^ ?\p{Lu}/u, shape: "M0-1.2L1.15.85H-1.15Z" },
  { name: "inside words", hue: 4, test: /^'?\p{Ll}/u, shape: "M0-1.3L1.3 0L0 1.3L-1.3 0Z" },
  { name: "signs", hue: 7, test: /^[^\p{C}]+$|^[\n\t ]+$/u, shape: "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z" },
  { name: "not text", hue: 8, test: /^/, shape: "M0-.5L.6-1.1L1.1-.6L.5 0L1.1.6L.6 1.1L0 .5L-.6 1.1L-1.1.6L-.5 0L-1.1-.6L-.6-1.1Z" },
];

const fixed = (x, digits) => x.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
const percent = (share) => `${fixed(100 * share, 1)} %`;
const mix = (a, b, t) => a + (b - a) * t;
const clamp = (x, low, high) => Math.max(low, Math.min(x, high));
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

let instances = 0;

class EmbeddingExplorer extends HTMLElement {
  when = "after";
  unseen = new Set();  // numbers of the kinds that are not shown
  zoom = 1;
  view = { progress: 1, zoom: 1, x: 0, y: 0 };  // what is drawn, perhaps half-way to another view
  options = [];
  active = -1;

  connectedCallback() {
    if (this.canvas) return;
    if (this.getAttribute("when") === "before") this.when = "before";
    this.zoom = clamp(Number(this.getAttribute("zoom")) || 1, 1, CLOSEST);
    this.build();
    this.state("waiting");
    whenNear(this, () => this.load());
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    new MutationObserver(() => { this.colours = undefined; this.draw(); })
      .observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  build() {
    const id = `embedding-explorer-${++instances}`;
    this.input = make("input", {
      id: `${id}-search`, class: "mg-input", type: "text", role: "combobox", "aria-expanded": "false",
      "aria-controls": `${id}-list`, "aria-autocomplete": "list", spellcheck: "false", autocomplete: "off",
      autocapitalize: "off", placeholder: "queen, ROMEO, ing, #300",
      input: () => this.suggest(), keydown: (event) => this.searchKey(event), blur: () => this.close(),
    });
    this.list = make("ul", { id: `${id}-list`, role: "listbox", "aria-label": "Tokens found", hidden: true });
    this.note = make("p", { class: "mg-note", role: "status" });
    this.switches = Object.entries(WHENS).map(([when, text]) => make("button", {
      type: "button", class: "mg-button", "data-when": when, text, click: () => this.show(when),
    }));
    this.canvas = make("canvas", {
      role: "img", "aria-describedby": `${id}-axes`,
      pointermove: (event) => event.pointerType !== "touch" && this.hover(this.nearest(event)),
      pointerleave: () => this.hover(undefined),
      click: (event) => {
        const found = this.nearest(event);
        if (found !== undefined) this.pick(found);
      },
    });
    this.canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;  // the page scrolls
      event.preventDefault();
      this.enlarge(event.deltaY < 0 ? 2 : 0.5);
    }, { passive: false });
    const zoomButton = (text, label, factor) => make("button", {
      type: "button", class: "mg-button", text, "aria-label": label, click: () => this.enlarge(factor),
    });
    this.closer = zoomButton("+", "Zoom in on the marked token", 2);
    this.farther = zoomButton("−", "Zoom out", 0.5);
    this.enlarged = make("span", { "aria-hidden": "true" });  // the picture's name says it too
    this.message = make("p", { role: "status", "aria-live": "off" });
    this.retry = make("button", { type: "button", class: "mg-button", text: "Try again", click: () => this.load() });
    this.here = make("p", { class: "mg-here" });
    this.axes = make("p", { class: "mg-axes", id: `${id}-axes` });
    this.kinds = KINDS.map((kind, number) => make("button", {
      type: "button", class: "mg-button", "aria-pressed": "true",
      click: () => this.toggle(number),
    }, shapeOf(kind), kind.name));
    this.status = make("p", { class: "mg-status", role: "status", "aria-live": "off" });
    this.nearby = make("ol", { class: "mg-nearby", "aria-label": "Nearest neighbours" });
    this.table = make("table", { class: "mg-table" });
    this.replaceChildren(
      make("div", { class: "mg-top" },
        make("div", { class: "mg-find" },
          make("label", { class: "mg-label", for: `${id}-search`, text: "Find a token" }),
          this.input, make("div", { class: "mg-found" }, this.list, this.note)),
        make("div", { class: "mg-buttons", role: "group", "aria-label": "Which table is shown" }, ...this.switches)),
      make("div", { class: "mg-map" }, this.canvas,
        make("div", { class: "mg-zoom" }, this.enlarged, this.closer, this.farther),
        make("div", { class: "mg-wait" }, this.message, this.retry)),
      this.here,
      make("div", { class: "mg-buttons mg-kinds", role: "group", "aria-label": "Kinds of tokens on the map" }, ...this.kinds),
      this.axes, this.status, this.nearby,
      make("details", {},
        make("summary", { text: "The numbers, before and after side by side" }),
        make("div", { class: "mg-scroll", tabindex: 0, role: "group", "aria-label": "Neighbours before and after training" }, this.table)));
    // Nothing is read out before the reader has done something here.
    for (const event of ["pointerdown", "keydown", "click"]) {
      this.addEventListener(event, () => {
        for (const live of [this.status, this.message]) live.setAttribute("aria-live", "polite");
      }, { once: true, capture: true });
    }
  }

  // Resolves when the map is there, or after having said on the page that it failed.
  load() {
    this.loading ??= this.attempt();
    return this.loading;
  }

  async attempt() {
    const retried = document.activeElement === this.retry;
    this.state("loading");
    try {
      const [tokenizer, file] = await Promise.all([loadVocabulary("shakespeare"), fetchMap()]);
      this.prepare(tokenizer, readSafetensors(file));
      this.state("ready");
      if (retried) this.input.focus();
    } catch (error) {
      this.loading = undefined;  // the next load tries again
      this.state("failed");
      console.warn(error);
    }
  }

  state(name) {
    this.dataset.state = name;
    this.message.textContent = {
      loading: "Loading the map of the tokens …",
      failed: "Could not load the map of the tokens. Check the connection, then press the button.",
    }[name] ?? "";
    this.retry.hidden = name !== "failed";
    for (const button of [...this.switches, ...this.kinds]) button.setAttribute("aria-disabled", String(name !== "ready"));
    this.update();
  }

  prepare(tokenizer, tensors) {
    this.tokenizer = tokenizer;
    this.maps = {};
    for (const when of Object.keys(WHENS)) {
      const part = (name) => tensors[`${when}.${name}`].data;
      const [scale] = part("scale");
      this.maps[when] = {
        places: Float32Array.from(part("coordinates"), (x) => x * scale),
        shares: part("shares"), ids: part("neighbours"), cosines: part("cosines"),
      };
    }
    const [rows, near] = tensors["after.neighbours"].shape;
    if (rows !== tokenizer.size) throw new Error(`the map has ${rows} tokens, the vocabulary ${tokenizer.size}`);
    this.near = near;
    this.tokens = Array.from({ length: rows }, (_, id) => {
      const bytes = tokenizer.tokenBytes(id);
      let text;
      try { text = strict.decode(bytes); } catch { /* a part of a character */ }
      if (tokenizer.special.includes(text)) text = undefined;
      const kind = text === undefined ? KINDS.length - 1 : KINDS.findIndex(({ test }) => test.test(text));
      const shown = spelled(bytes);
      return { id, text: kind === KINDS.length - 1 ? shown : text, shown, kind };
    });
    this.worthALabel = this.familiar();
    this.nearby.replaceChildren(...Array.from({ length: near }, () => make("li", {},
      make("button", { type: "button", class: "mg-button", click: (event) => this.pick(Number(event.currentTarget.dataset.id)) },
        make("bdi"), make("span")))));
    const wanted = (this.getAttribute("token") ?? "").replaceAll("·", " ").replaceAll("↵", "\n");
    this.picked = (this.tokens.find(({ text }) => text === wanted) ?? this.tokens.find(({ kind }) => kind === 0)).id;
    this.resize();
  }

  // Ids whose labels help most: whole words and signs, the frequent ones (small ids) first, of
  // every kind in turn.
  familiar() {
    const queues = KINDS.slice(0, -1).map((_, kind) => this.tokens.filter((token) =>
      token.kind === kind && (token.id < 256 ? /^[^\p{L}]$/u : /\p{L}{3}/u).test(token.text)));
    const longest = Math.max(...queues.map((queue) => queue.length));
    return Array.from({ length: longest }, (_, i) => queues.map((queue) => queue[i]?.id)).flat().filter((id) => id !== undefined);
  }

  // What is known of a token

  place(id, when = this.when) {
    return [...this.maps[when].places.subarray(2 * id, 2 * id + 2)];
  }

  neighbours(id, when = this.when) {
    const { ids, cosines } = this.maps[when];
    return Array.from({ length: this.near }, (_, i) => ({
      id: ids[id * this.near + i], cosine: cosines[id * this.near + i] / WHOLE,
    }));
  }

  // What the reader does

  pick(id) {
    this.picked = id;
    this.update();
    this.move();
  }

  show(when) {
    if (!this.maps) return;
    this.when = when;
    this.update();
    this.move();
  }

  enlarge(factor) {
    const zoom = clamp(this.zoom * factor, 1, CLOSEST);
    if (!this.maps || zoom === this.zoom) return;
    this.zoom = zoom;
    this.update();
    this.move();
  }

  toggle(kind) {
    if (!this.maps) return;
    if (!this.unseen.delete(kind)) this.unseen.add(kind);
    this.update();
    this.draw();
  }

  hover(id) {
    if (id === this.pointed) return;
    this.pointed = id;
    this.describe();
    this.draw();
  }

  // Searching

  suggest() {
    if (!this.maps) return;
    const query = this.input.value.replaceAll("·", " ").replaceAll("↵", "\n");
    this.options = query ? this.search(query) : [];
    this.active = -1;
    this.list.replaceChildren(...this.options.map((id, i) => make("li", {
      id: `${this.list.id}-${i}`, role: "option", "aria-selected": "false",
      pointerdown: (event) => event.preventDefault(),  // the input keeps the focus
      click: () => this.choose(id),
    }, make("bdi", { text: this.tokens[id].shown }), make("span", { text: ` #${id}` }))));
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
    this.note.textContent = !query || this.options.length ? "" : this.explain(query);
  }

  // Ids, the best first: the same text, the same after or without a space, in other letters, its
  // beginning, anywhere inside. The shorter goes before the longer, then the smaller id.
  search(query) {
    const wanted = /^#(\d+)$/.exec(query);
    if (wanted) return wanted[1] in this.tokens ? [Number(wanted[1])] : [];
    const bare = query.replace(/^ /, "");
    const lower = bare.toLowerCase();
    const found = [];
    for (const { id, text, kind } of this.tokens) {
      const inside = text.replace(/^ (?=.)/, "");
      const folded = inside.toLowerCase();
      const rank = text === query ? 0
        : kind === KINDS.length - 1 && !text.startsWith(query) ? 6  // <|endoftext|> holds letters
        : inside === bare ? 1 : folded === lower ? 2 : inside.startsWith(bare) ? 3
        : folded.startsWith(lower) ? 4 : folded.includes(lower) ? 5 : 6;
      if (rank < 6) found.push({ id, rank, length: inside.length });
    }
    found.sort((a, b) => a.rank - b.rank || a.length - b.length || a.id - b.id);
    return found.slice(0, SUGGESTIONS).map(({ id }) => id);
  }

  explain(query) {
    if (/^#\d+$/.test(query)) return `There is no ${query}: ids run from 0 to ${this.tokens.length - 1}.`;
    const parts = this.tokenizer.encode(query).map((id) => `“${this.tokens[id].shown}”`);
    const written = parts.length > 12 ? [...parts.slice(0, 12), "…"] : parts;
    return `No token contains that text. The tokenizer spells it with ${parts.length}: ${written.join(" ")}.`;
  }

  searchKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      if (this.list.hidden) return this.suggest();
      const length = this.options.length;
      this.active = this.active < 0 && step < 0 ? length - 1 : (this.active + step + length) % length;
      for (const [i, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(i === this.active));
      this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
      this.list.children[this.active].scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      this.choose(this.options[Math.max(0, this.active)]);
    } else if (event.key === "Escape" && (!this.list.hidden || this.note.textContent)) {
      event.preventDefault();
      this.close();
    }
  }

  choose(id) {
    this.input.value = this.tokens[id].shown;
    this.close();
    this.pick(id);
  }

  close() {
    this.list.hidden = true;
    this.note.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  // Words

  name(id) { return `“${this.tokens[id].shown}”`; }

  describe() {
    const id = this.pointed ?? this.picked;
    const { kind } = this.tokens[id];
    const [x, y] = this.place(id).map((value) => fixed(value, 2));
    this.here.replaceChildren(make("strong", {}, make("bdi", { text: this.tokens[id].shown })),
      ` token ${id}, ${KINDS[kind].name}, at (${x}, ${y})`);
  }

  update() {
    for (const button of this.switches) button.setAttribute("aria-pressed", String(button.dataset.when === this.when));
    for (const [i, button] of this.kinds.entries()) button.setAttribute("aria-pressed", String(!this.unseen.has(i)));
    // aria-disabled, not disabled: a button that has the focus keeps it.
    this.closer.setAttribute("aria-disabled", String(!this.maps || this.zoom === CLOSEST));
    this.farther.setAttribute("aria-disabled", String(!this.maps || this.zoom === 1));
    this.enlarged.textContent = this.zoom > 1 ? `×${this.zoom}` : "";
    if (!this.maps) {
      this.canvas.setAttribute("aria-label", "Map of the tokens, not loaded yet");
      return;
    }
    const found = this.neighbours(this.picked);
    const title = WHENS[this.when];
    const { shares } = this.maps[this.when];
    this.axes.textContent = `${title}, the map’s two axes explain ${percent(shares[0] + shares[1])} of the variance `
      + `(${percent(shares[0])} across, ${percent(shares[1])} up).`;
    const first = found.slice(0, 3).map(({ id, cosine }, i) => `${this.name(id)} (${i ? "" : "cosine "}${fixed(cosine, 2)})`);
    this.status.textContent = `${title}, the nearest to ${this.name(this.picked)} are `
      + `${first.slice(0, -1).join(", ")} and ${first.at(-1)}.`;
    for (const [i, button] of [...this.nearby.querySelectorAll("button")].entries()) {
      button.dataset.id = found[i].id;
      button.title = `${this.tokens[found[i].id].shown}, token ${found[i].id}`;  // a long one is cut
      button.firstChild.textContent = this.tokens[found[i].id].shown;
      button.lastChild.textContent = fixed(found[i].cosine, 2);
    }
    const left = this.unseen.size ? ` Without: ${[...this.unseen].sort().map((kind) => KINDS[kind].name).join(", ")}.` : "";
    this.canvas.setAttribute("aria-label", `Map of ${number(this.tokens.length)} tokens ${title.toLowerCase()}. `
      + `Marked: ${this.name(this.picked)} and its ${this.near} nearest neighbours.`
      + (this.zoom > 1 ? ` Enlarged ${this.zoom} times around it.` : "") + left);
    this.describe();
    this.fillTable();
  }

  fillTable() {
    const columns = Object.keys(WHENS).map((when) => this.neighbours(this.picked, when));
    const place = (when) => `at (${this.place(this.picked, when).map((x) => fixed(x, 2)).join(", ")})`;
    this.table.replaceChildren(
      make("caption", {}, "Neighbours of ", make("bdi", { text: this.tokens[this.picked].shown }), `, token ${this.picked}, and cosines`),
      make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Rank" }),
        ...Object.values(WHENS).map((text) => make("th", { scope: "colgroup", colspan: 2, text })))),
      make("tbody", {}, make("tr", {}, make("th", { scope: "row", text: "itself" }),
        ...Object.keys(WHENS).map((when) => make("td", { colspan: 2, text: place(when) }))),
      ...columns[0].map((_, i) => make("tr", {}, make("th", { scope: "row", text: i + 1 }),
        ...columns.flatMap((column) => [
          make("td", {}, make("bdi", { text: this.tokens[column[i].id].shown })),
          make("td", { text: fixed(column[i].cosine, 2) })])))));
  }

  // The picture

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.maps || !width) return;
    this.size = { width, height };
    this.ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    for (const map of Object.values(this.maps)) Object.assign(map, fit(map.places, width, height));
    this.colours = undefined;
    this.move(true);
  }

  // Go where `when`, `zoom` and `picked` say, in half a second or at once.
  move(atOnce = matchMedia("(prefers-reduced-motion: reduce)").matches) {
    if (!this.size) return;
    const { points, edges } = this.maps[this.when];
    // Around the picked token, but no further than the points reach.
    const middle = (axis, size) => {
      const seen = (size / 2 - MARGIN) / this.zoom;
      const [low, high] = edges[axis];
      return high - low <= 2 * seen ? (low + high) / 2 : clamp(points[2 * this.picked + axis], low + seen, high - seen);
    };
    const goal = {
      progress: Number(this.when === "after"), zoom: this.zoom,
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
    const { before, after } = this.maps;
    return [
      this.size.width / 2 + zoom * (mix(before.points[2 * id], after.points[2 * id], progress) - x),
      this.size.height / 2 + zoom * (mix(before.points[2 * id + 1], after.points[2 * id + 1], progress) - y),
    ];
  }

  nearest({ offsetX, offsetY }) {
    if (!this.size) return undefined;
    const marked = new Set([this.picked, ...this.neighbours(this.picked).map(({ id }) => id)]);
    let best, least = REACH;
    for (const { id, kind } of this.tokens) {
      if (this.unseen.has(kind) && !marked.has(id)) continue;
      const [x, y] = this.point(id);
      const distance = Math.hypot(x - offsetX, y - offsetY);
      if (distance < least) [best, least] = [id, distance];
    }
    return best;
  }

  paint() {
    const style = getComputedStyle(this);
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

    const [middleX, middleY] = this.point(this.tokens.length);
    context.lineWidth = 1;
    context.strokeStyle = rule;
    line([0, middleY], [width, middleY]);
    line([middleX, 0], [middleX, height]);

    const radius = Math.round(10 * (width < 480 ? 1.7 : 2.2) * this.view.zoom ** 0.3) / 10;
    context.globalAlpha = 0.85;
    for (let id = this.tokens.length - 1; id >= 0; id--) {  // small ids, the frequent tokens, on top
      const { kind } = this.tokens[id];
      if (this.unseen.has(kind)) continue;
      const [x, y] = this.point(id);
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      const { canvas, side } = this.stamp(kind, radius);
      context.drawImage(canvas, x - side / 2, y - side / 2, side, side);
    }
    context.globalAlpha = 1;

    const picked = this.point(this.picked);
    const near = this.neighbours(this.picked).map(({ id }) => id);
    context.strokeStyle = muted;
    for (const id of near) line(picked, this.point(id));
    for (const id of [...near].reverse()) this.mark(context, id, radius + 1.5, 1.25);
    if (this.pointed !== undefined) this.mark(context, this.pointed, radius + 2, 2);
    this.mark(context, this.picked, radius + 3.5, 2.5);

    context.font = font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = page;
    context.fillStyle = ink;
    const taken = [{ left: width - (this.zoom > 1 ? 140 : 100), right: width, top: 0, bottom: 56 }];  // the zoom
    for (const [x, y] of [this.picked, ...near].map((id) => this.point(id))) {
      taken.push({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
    }
    const label = (id, always) => this.label(context, id, radius + 5, taken, always);
    label(this.picked, true);
    if (this.pointed !== undefined) label(this.pointed, true);
    for (const id of near) label(id);
    if (this.moving) return;
    let left = Math.round(width * height / 7000);  // more would be in one another's way
    for (const id of this.worthALabel) {
      if (!this.unseen.has(this.tokens[id].kind) && label(id) && --left === 0) return;
    }
  }

  mark(context, id, radius, edge) {
    const { kind } = this.tokens[id];
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
    const { shown } = this.tokens[id];
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

async function fetchMap() {
  return (await fetched(FILE)).arrayBuffer();
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

function shapeOf({ hue, shape }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape);
  path.style.fill = `var(--mg-hue-${hue})`;
  svg.append(path);
  return svg;
}

if (!customElements.get("embedding-explorer")) customElements.define("embedding-explorer", EmbeddingExplorer);
