// Of a page opened as a file, browsers run no modules, of which its elements are made. layout.html
// loads this there, and each element says how to bring it to life.
(() => {
  const root = new URL("../../", document.currentScript.src);
  const local = decodeURIComponent(root.pathname);
  const windows = /^\/[A-Za-z]:/.test(local) || root.host;
  const folder = windows
    ? `"${root.host ? `//${root.host}${local}` : local.slice(1)}"`
    : `'${local.replaceAll("'", `'\\''`)}'`;
  const served = `http://127.0.0.1:8000/${location.href.slice(root.href.length)}`;

  const made = (tag, content, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...[content].flat());
    return element;
  };

  const tell = (element) => {
    const command = `${windows ? "python" : "python3"} -m http.server --bind 127.0.0.1 --directory ${folder}`;
    element.style.minHeight = 0;  // what is kept free for it alive
    element.querySelector(".page-widget-fallback").replaceChildren(
      made("p", [
        made("strong", "This part is alive at an address, and not in a page opened as a file."),
        " Where the book was made, run ", made("code", "make book"), ". Or serve this folder alone:",
      ]),
      made("p", made("code", command), { className: "mg-command" }),
      made("p", ["Then open ", made("a", served, { href: served }), "."]),
      made("p", `At work it looks like this: ${element.dataset.still}`),
    );
  };

  const tellAll = () => document.querySelectorAll("[data-still]").forEach(tell);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", tellAll);
  else tellAll();
})();
