// What every page does: switch colours, copy code, mark the place in the contents.
(() => {
  const root = document.documentElement;

  const button = document.querySelector(".mg-theme-button");
  const show = (theme) => {
    root.dataset.theme = theme;
    button.setAttribute("aria-pressed", theme === "dark");
  };
  show(root.dataset.theme);
  button.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    show(theme);
    try { localStorage.setItem("theme", theme); } catch { /* storage is blocked: this page only */ }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    try { if (localStorage.getItem("theme")) return; } catch { /* storage is blocked */ }
    show(event.matches ? "dark" : "light");
  });

  if (navigator.clipboard) {
    for (const block of document.querySelectorAll('div[class*="highlight-"]:not(.output)')) {
      const copy = document.createElement("button");
      copy.type = "button";
      copy.className = "mg-copy";
      copy.textContent = "Copy";
      copy.setAttribute("aria-label", "Copy this code");
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(block.querySelector("pre").textContent.trimEnd());
        copy.textContent = "Copied";
        setTimeout(() => { copy.textContent = "Copy"; }, 1500);
      });
      block.append(copy);
    }
  }

  // A box that scrolls must take the keyboard's focus, or only a mouse can read its end.
  const boxes = { ".cell_output pre, .output.text_html": "Output", "pre": "Code", ".pst-scrollable-table-container": "Table", ".mg-formula": "Formula" };
  const sized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      const [, name] = Object.entries(boxes).find(([selector]) => target.matches(selector));
      for (const [attribute, value] of Object.entries({ tabindex: 0, role: "group", "aria-label": name })) {
        if (scrolls) target.setAttribute(attribute, value);
        else target.removeAttribute(attribute);
      }
    }
  });
  for (const box of document.querySelectorAll(Object.keys(boxes).join())) sized.observe(box);

  // Menus are popovers. A browser of spring 2023 that has none gets them from here: one is open at
  // a time, until a click elsewhere or Escape.
  const popovers = "showPopover" in HTMLElement.prototype;
  const showMenu = (menu) => (popovers ? menu.showPopover() : menu.classList.add("mg-open"));
  const hideMenu = (menu) => (popovers ? menu.hidePopover() : menu.classList.remove("mg-open"));
  if (!popovers) {
    root.classList.add("mg-no-popovers");
    addEventListener("click", (event) => {
      const target = event.target.closest("[popovertarget]")?.getAttribute("popovertarget");
      for (const menu of document.querySelectorAll("[popover]")) {
        if (menu.id === target) menu.classList.toggle("mg-open");
        else if (!menu.contains(event.target)) hideMenu(menu);
      }
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") document.querySelectorAll(".mg-open").forEach(hideMenu);
    });
  }

  const links = new Map();
  for (const link of document.querySelectorAll('.mg-toc a[href^="#"]')) {
    const section = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (section) links.set(section, link);
  }
  const visible = new Set();
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) visible[isIntersecting ? "add" : "delete"](target);
      const here = [...links.keys()].filter((section) => visible.has(section));
      // The first one; of a section and its own sub-section the inner.
      const first = here.find((section, i) => !here[i + 1] || !section.contains(here[i + 1]));
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(first)?.setAttribute("aria-current", "true");
    },
    { rootMargin: "-64px 0px -70% 0px" },
  );
  for (const section of links.keys()) seen.observe(section);
  document.querySelector(".mg-toc")?.addEventListener("click", (event) => {
    if (event.target.closest("a")) hideMenu(event.currentTarget);
  });

  // An element whose script did not come, or does not run: layout.html tells.
  addEventListener("element-failed", ({ detail: { script, error } }) => {
    // Every browser says “module” of one that it could not fetch.
    const why = error.name === "TypeError" && /module/i.test(error.message)
      ? "did not load: check the connection and reload the page"
      : "has a mistake: please report it, by the link “Report a mistake” below";
    for (const element of document.querySelectorAll(script.split("/").at(-1).replace(/\.js$/, ""))) {
      element.style.minHeight = 0;
      element.textContent = `This part of the page ${why}. (${error.message}) It shows: ${element.dataset.still}`;
    }
  });

  addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
    // In a text field Ctrl+K is the system's: on macOS it deletes to the end of the line.
    if (event.ctrlKey && event.target.matches(":read-write")) return;
    event.preventDefault();
    const nav = document.getElementById("mg-nav");
    if (!nav.getClientRects().length) showMenu(nav);
    nav.querySelector("input").focus();
  });
})();
