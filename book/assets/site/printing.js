// Paper shows no more than lies open on it, in dark ink on a white ground. Before the page is
// printed every fold is opened, the theme is light, and the column as wide as a sheet's, by which
// figures.js draws; afterwards all is as the reader had it.
(() => {
  const root = document.documentElement;
  const PATIENCE = 10_000;  // milliseconds that what is still to be loaded has
  let undo;
  let asked = false;  // by beforeprint, until afterprint

  // `waits`: what listeners of "to-paper" still do; undefined where nothing can be waited for.
  const tell = (waits) => document.dispatchEvent(new CustomEvent("to-paper", { detail: { waits } }));

  const toPaper = () => {
    if (undo) return;
    const folds = document.querySelectorAll(".mg-main details:not([open])");
    const { theme } = root.dataset;
    for (const fold of folds) {
      fold.open = true;
      fold.dispatchEvent(new Event("toggle"));  // the browser's own comes when all is printed
    }
    root.dataset.theme = "light";
    root.classList.add("mg-paper");
    // The box of what is too wide is reduced: what lies in it may be drawn again.
    const wide = [...document.querySelectorAll(".mg-main :is(table, .mg-formula > math)")]
      .map((content) => ({ box: content.parentElement, share: content.parentElement.clientWidth / content.scrollWidth }))
      .filter(({ share }) => share < 1);
    for (const { box, share } of wide) box.style.zoom = share;
    undo = () => {
      for (const { box } of wide) box.style.zoom = "";
      for (const fold of folds) fold.open = false;
      root.dataset.theme = theme;
      root.classList.remove("mg-paper");
      undo = undefined;
      document.dispatchEvent(new Event("from-paper"));
    };
    tell();
  };

  addEventListener("beforeprint", () => { asked = true; toPaper(); });
  addEventListener("afterprint", () => { asked = false; undo?.(); });
  // A browser that only shows the page as it would print it says no more than this.
  const printed = matchMedia("print");
  printed.addEventListener("change", () => {
    if (asked) return;
    if (printed.matches) toPaper();
    else undo?.();
  });

  // Printing does not wait for what is loaded when it comes near the screen. The keys do.
  let preparing;
  const loadAll = async () => {
    const waits = [];
    tell(waits);
    if (!navigator.connection?.saveData) {
      for (const element of document.querySelectorAll("[data-still]")) {
        waits.push(Promise.resolve(element.load?.()).then(() => { delete element.dataset.far; }));
      }
    }
    await Promise.race([Promise.allSettled(waits), new Promise((done) => { setTimeout(done, PATIENCE); })]);
    preparing = undefined;
    print();
  };
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "p" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    preparing ??= loadAll();
  });
})();
