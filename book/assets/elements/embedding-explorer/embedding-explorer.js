// <embedding-explorer token="·king" when="after" zoom="2">: a map of all tokens by their vectors, before
// and after training, with the nearest neighbours of the one that the reader picks.
//
// The map's numbers (book/_ext/site/model_files.py computes them) are fetched when the element comes
// near the screen. For tests: load(), pick(id), place(id, when) in the table's unit,
// point(id) in pixels of the picture, neighbours(id, when).

import { whenNear } from "../../parts/near.js";
import { make, number } from "../../parts/token-chips.js";
import { whatFailed } from "../../parts/what-failed.js";
import { clamp, MapPicture } from "./map-picture.js";
import { KINDS, shapeOf } from "./token-kinds.js";
import { fetchMap, unmarked, WHENS } from "./map-data.js";
import { TokenSearch } from "./token-search.js";

const CLOSEST = 16;       // the largest zoom

const fixed = (x, digits) => x.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
const percent = (share) => `${fixed(100 * share, 1)} %`;

let instances = 0;

class EmbeddingExplorer extends HTMLElement {
  when = "after";
  unseen = new Set();  // numbers of the kinds that are not shown
  zoom = 1;

  connectedCallback() {
    if (this.canvas) return;
    if (this.getAttribute("when") === "before") this.when = "before";
    this.zoom = clamp(Number(this.getAttribute("zoom")) || 1, 1, CLOSEST);
    this.build();
    this.state("waiting");
    whenNear(this, () => this.load());
    this.picture.watch();
  }

  build() {
    const id = `embedding-explorer-${++instances}`;
    this.search = new TokenSearch(id, (token) => this.pick(token));
    this.switches = Object.entries(WHENS).map(([when, text]) => make("button", {
      type: "button", class: "mg-button", "data-when": when, text, click: () => this.show(when),
    }));
    this.picture = new MapPicture(this, {
      role: "img", "aria-describedby": `${id}-axes`,
      pointermove: (event) => event.pointerType !== "touch" && this.hover(this.picture.nearest(event)),
      pointerleave: () => this.hover(undefined),
      click: (event) => {
        // What is shown under the pointer: a click's place is rounded to whole pixels.
        const found = this.pointed ?? this.picture.nearest(event);
        if (found !== undefined) this.pick(found);
      },
    });
    this.canvas = this.picture.canvas;
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
        this.search.node,
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
      this.prepare(await fetchMap());
      this.state("ready");
      if (retried) this.search.input.focus();
    } catch (error) {
      this.loading = undefined;  // the next load tries again
      this.state("failed", error);
    }
  }

  state(name, error) {
    this.dataset.state = name;
    this.message.textContent = {
      loading: "Loading the map of the tokens …",
      failed: error && whatFailed("the map of the tokens", error),
    }[name] ?? "";
    this.retry.hidden = name !== "failed";
    for (const button of [...this.switches, ...this.kinds]) button.setAttribute("aria-disabled", String(name !== "ready"));
    this.update();
  }

  prepare(map) {
    this.map = this.search.map = map;
    this.nearby.replaceChildren(...Array.from({ length: map.near }, () => make("li", {},
      make("button", { type: "button", class: "mg-button", click: (event) => this.pick(Number(event.currentTarget.dataset.id)) },
        make("bdi"), make("span")))));
    this.picked = map.find(unmarked(this.getAttribute("token") ?? ""));
    this.picture.resize();
  }

  // What is known of a token

  get tokens() { return this.map?.tokens; }
  place(id, when = this.when) { return this.map.place(id, when); }
  neighbours(id, when = this.when) { return this.map.neighbours(id, when); }
  point(id) { return this.picture.point(id); }

  // What the reader does

  pick(id) {
    this.picked = id;
    this.update();
    this.picture.move();
  }

  show(when) {
    if (!this.map) return;
    this.when = when;
    this.update();
    this.picture.move();
  }

  enlarge(factor) {
    const zoom = clamp(this.zoom * factor, 1, CLOSEST);
    if (!this.map || zoom === this.zoom) return;
    this.zoom = zoom;
    this.update();
    this.picture.move();
  }

  toggle(kind) {
    if (!this.map) return;
    if (!this.unseen.delete(kind)) this.unseen.add(kind);
    this.update();
    this.picture.draw();
  }

  hover(id) {
    if (id === this.pointed) return;
    this.pointed = id;
    this.describe();
    this.picture.draw();
  }

  // Words

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
    this.closer.setAttribute("aria-disabled", String(!this.map || this.zoom === CLOSEST));
    this.farther.setAttribute("aria-disabled", String(!this.map || this.zoom === 1));
    this.enlarged.textContent = this.zoom > 1 ? `×${this.zoom}` : "";
    if (!this.map) {
      this.canvas.setAttribute("aria-label", "Map of the tokens, not loaded yet");
      return;
    }
    const found = this.neighbours(this.picked);
    const title = WHENS[this.when];
    const { shares } = this.map.tables[this.when];
    this.axes.textContent = `${title}, the map’s two axes explain ${percent(shares[0] + shares[1])} of the variance.`;
    const first = found.slice(0, 3).map(({ id, cosine }, i) => `${this.map.name(id)} (${i ? "" : "cosine "}${fixed(cosine, 2)})`);
    this.status.textContent = `${title}, the nearest to ${this.map.name(this.picked)} are `
      + `${first.slice(0, -1).join(", ")} and ${first.at(-1)}.`;
    for (const [i, button] of [...this.nearby.querySelectorAll("button")].entries()) {
      button.dataset.id = found[i].id;
      button.title = `${this.tokens[found[i].id].shown}, token ${found[i].id}`;  // a long one is cut
      button.firstChild.textContent = this.tokens[found[i].id].shown;
      button.lastChild.textContent = fixed(found[i].cosine, 2);
    }
    const left = this.unseen.size ? ` Without: ${[...this.unseen].sort().map((kind) => KINDS[kind].name).join(", ")}.` : "";
    this.canvas.setAttribute("aria-label", `Map of ${number(this.tokens.length)} tokens ${title.toLowerCase()}. `
      + `Marked: ${this.map.name(this.picked)} and its ${this.map.near} nearest neighbours.`
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
}

if (!customElements.get("embedding-explorer")) customElements.define("embedding-explorer", EmbeddingExplorer);
