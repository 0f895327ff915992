// Draws the page's Bokeh figures in the page's colours. BokehJS is loaded, once, when the
// first figure comes near the screen.
(() => {
  const base = new URL("../bokeh/", document.currentScript.src);
  const SCRIPTS = ["bokeh.min.js", "bokeh-widgets.min.js"];
  const loaded = new Set();
  const load = (name) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(name, base);
      script.onload = () => { loaded.add(name); done(); };
      script.onerror = () => failed(new Error(`${name} did not load`));
      document.head.append(script);
    });
  let ready;
  const bokeh = () => {
    ready ??= load(SCRIPTS[0]).then(() => load(SCRIPTS[1]));
    ready.catch(() => { ready = undefined; });  // so that the next figure asks again
    return ready;
  };
  // A page that is being printed waits for nothing that it loads, except so.
  const bokehAtOnce = () => {
    for (const name of SCRIPTS.filter((script) => !loaded.has(script))) {
      const request = new XMLHttpRequest();
      request.open("GET", new URL(name, base), false);
      request.send();
      if (request.status !== 200) throw new Error(`${name} answered ${request.status}`);
      document.head.append(Object.assign(document.createElement("script"), { textContent: request.responseText }));
      loaded.add(name);
    }
    ready = Promise.resolve();
  };
  if (location.protocol === "file:") bokeh().catch(() => {});  // where no such request is allowed; each figure says it

  // Which of the page's colours each part of a plot takes. Curves and marks keep their own:
  // the palette is legible on both pages.
  const PARTS = /^(Figure|Plot|GridPlot|Title|Legend|ColorBar|Label|LabelSet|Span|Grid|.*Axis)$/;
  const COLOURS = {
    line_color: "muted", // of all the parts, only a Span has one
    background_fill_color: "page", outline_line_color: "rule",
    axis_line_color: "muted", major_tick_line_color: "muted", minor_tick_line_color: "rule",
    grid_line_color: "rule", separator_line_color: "rule", border_line_color: "rule", bar_line_color: "rule",
    major_label_text_color: "muted", axis_label_text_color: "ink", label_text_color: "ink",
    group_text_color: "ink", subgroup_text_color: "ink", title_text_color: "ink", text_color: "ink",
  };
  // A plot has no ground of its own, from the start: a first white one would leave its edge.
  const groundless = (key, value) => {
    if (value?.name === "Figure") {
      Object.assign(value.attributes, { background_fill_color: null, border_fill_color: null });
    }
    return value;
  };
  // Sliders and inputs live in shadow trees, which inherit custom properties and nothing else.
  const CONTROLS = `
    :host { color: var(--mg-ink); font-family: var(--mg-sans); }
    .bk-input, .bk-btn { color: var(--mg-ink); background-color: var(--mg-page); border-color: var(--mg-muted); }
    .bk-btn.bk-active { color: var(--mg-page); background-color: var(--mg-link); }
    .noUi-target { background: var(--mg-raised); border-color: var(--mg-muted); box-shadow: none; }
    .noUi-connect { background: var(--mg-hue-1) !important; } /* over Bokeh's own bar_color */
    .noUi-handle { background: var(--mg-page); border: 2px solid var(--mg-link); box-shadow: none; }
    .noUi-handle:focus-visible { outline: 3px solid var(--mg-hue-2); outline-offset: 2px; }
  `;

  const drawn = new Map(); // of every figure that stands on the page {layout, models}
  const paint = (models) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--mg-${name}`).trim();
    const palette = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => colour(`hue-${n}`));
    for (const model of models) {
      if (!PARTS.test(model.type)) continue;
      for (const [property, name] of Object.entries(COLOURS)) {
        if (!(property in model.properties)) continue;
        const value = model[property]?.value ?? model[property];
        // Absent on purpose, data's own colour, or given by a column: leave it.
        if (typeof value !== "string" || palette.includes(value.toLowerCase())) continue;
        model[property] = model[property]?.value ? { value: colour(name) } : colour(name);
      }
    }
  };
  new MutationObserver(() => drawn.forEach(({ models }) => paint(models))).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });

  // Bokeh's slider handles have no accessible name and tell the raw number: take both from the title.
  const nameHandles = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const title = element.classList.contains("noUi-handle") && element.getRootNode().querySelector(".bk-slider-title");
      if (title && element.named !== title) {
        element.named = title;
        const tell = () => {
          element.setAttribute("aria-label", title.textContent.split(":")[0] || "slider");
          const value = title.querySelector(".bk-slider-value");
          if (value) element.setAttribute("aria-valuetext", value.textContent);
        };
        new MutationObserver(tell).observe(title, { childList: true, characterData: true, subtree: true });
        tell();
      }
      if (element.shadowRoot) nameHandles(element.shadowRoot);
    }
  };

  // What Bokeh.embed.embed_item does, less its wait for the next task, which printing has not.
  const embed = async (json, place, change = () => {}) => {
    const layout = Bokeh.require("document/document").Document.from_json(json);
    const models = layout.roots().flatMap((root) => [...root.references()]);
    for (const model of models) {
      if ("stylesheets" in model.properties) model.stylesheets = [...model.stylesheets, CONTROLS];
      change(model);
    }
    paint(models);
    const { roots } = await Bokeh.embed.add_document_standalone(layout, place);
    return { layout, models, roots };
  };
  const stored = (figure) => JSON.parse(document.getElementById(`${figure.id}-data`).textContent, groundless).doc;
  const fail = (figure, error) => {
    figure.style.minHeight = 0;
    figure.textContent = `This figure could not be drawn (${error.message}): check the connection and reload the page. It shows: ${figure.getAttribute("aria-label")}`;
  };

  const figures = [...document.querySelectorAll(".minigpt-figure")];
  const waiting = new Set(figures);
  const draw = async (figure) => {
    if (!waiting.delete(figure)) return;
    near.unobserve(figure);
    try {
      await bokeh();
      figure.replaceChildren();
      drawn.set(figure, await embed(stored(figure), figure));
      for (const wait of [0, 300, 1000]) setTimeout(() => nameHandles(figure), wait); // drawn again as styles arrive
    } catch (error) {
      fail(figure, error);
    }
  };

  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
    },
    { rootMargin: "400px" },
  );
  for (const figure of waiting) near.observe(figure);

  // On paper a copy stands for each figure, as it is at that moment: in the paper's width, and drawn
  // in SVG, as a canvas has its picture only with the next frame, which printing does not wait for.
  const copies = [];
  const copy = async (figure) => {
    const place = Object.assign(document.createElement("div"), { className: "mg-on-paper" });
    copies.push(place);
    figure.append(place);
    figure.classList.add("mg-copied");
    const json = drawn.get(figure)?.layout.to_json() ?? stored(figure);
    try {
      const { roots } = await embed(json, place, (model) => { if (model.type === "Figure") model.output_backend = "svg"; });
      // A legend has its size when it is drawn, and then its place, as elsewhere with the next frames.
      for (let pass = 0; pass < 3; pass++) for (const root of roots) root.invalidate_layout?.();
    } catch (error) {
      place.textContent = `This figure could not be printed (${error.message}). It shows: ${figure.getAttribute("aria-label")}`;
    }
  };
  document.addEventListener("to-paper", ({ detail: { waits } }) => {
    if (waits) {
      waits.push(...[...waiting].map(draw));
      return;
    }
    try {
      bokehAtOnce();
    } catch (error) {
      console.warn(`Figures are on paper as words: ${error.message}`);
      return;
    }
    figures.forEach(copy);
  });
  document.addEventListener("from-paper", () => {
    for (const place of copies.splice(0)) {
      place.parentElement.classList.remove("mg-copied");
      place.remove();
    }
  });
})();
