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
  const boxes = document.querySelectorAll("pre, .pst-scrollable-table-container, .output.text_html, .mg-math");
  const sized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of boxes) sized.observe(box);

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
    if (event.target.closest("a")) event.currentTarget.hidePopover();
  });

  addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
    // In a text field Ctrl+K is the system's: on macOS it deletes to the end of the line.
    if (event.ctrlKey && event.target.matches(":read-write")) return;
    event.preventDefault();
    const nav = document.getElementById("mg-nav");
    if (!nav.checkVisibility()) nav.showPopover();
    nav.querySelector("input").focus();
  });
})();
