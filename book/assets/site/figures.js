// Draws the page's Bokeh figures in the page's colours. BokehJS is loaded, once, when the
// first figure comes near the screen.
(() => {
  const base = new URL("../bokeh/", document.currentScript.src);
  let ready;
  const load = (name) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(name, base);
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });
  const bokeh = () => (ready ??= load("bokeh.min.js").then(() => load("bokeh-widgets.min.js")));

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

  const drawn = []; // the models of every figure on the page
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
  new MutationObserver(() => drawn.forEach(paint)).observe(document.documentElement, {
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

  const draw = async (figure) => {
    try {
      await bokeh();
      const data = document.getElementById(`${figure.id}-data`).textContent;
      const views = await Bokeh.embed.embed_item(JSON.parse(data, groundless), figure.id);
      const models = views.roots.flatMap((view) => [...view.model.references()]);
      for (const model of models) {
        if ("stylesheets" in model.properties) model.stylesheets = [...model.stylesheets, CONTROLS];
      }
      drawn.push(models);
      paint(models);
      for (const wait of [0, 300, 1000]) setTimeout(() => nameHandles(figure), wait); // drawn again as styles arrive
    } catch (error) {
      figure.textContent = `This figure could not be drawn (${error.message ?? "a script did not load"}). It shows: ${figure.getAttribute("aria-label")}`;
    }
  };

  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "400px" },
  );
  for (const figure of document.querySelectorAll(".minigpt-figure")) near.observe(figure);
})();
