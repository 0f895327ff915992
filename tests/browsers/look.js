// What is wrong with a page at the width that it has, once all of it is open and drawn.
const SLACK = 1;  // pixels that rounding may take
const end = performance.now() + 15_000;  // milliseconds, for all that is waited for
const wrong = [];
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const named = (e) => e.outerHTML.slice(0, 120);
const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const check = (is, complaint) => is || wrong.push(complaint);

function within(e, outer) {
  const [a, b] = [e, outer].map((x) => x.getBoundingClientRect());
  return a.left >= b.left - SLACK && a.top >= b.top - SLACK && a.right <= b.right + SLACK && a.bottom <= b.bottom + SLACK;
}

async function soon(is) {
  while (!is() && performance.now() < end) await later(20);
  return is();
}

for (const fold of all("details")) fold.open = true;

const elements = all(".mg-article *").filter((e) => e instanceof HTMLElement && e.localName.includes("-"));
for (const element of elements) {
  element.scrollIntoView();
  const defined = await soon(() => customElements.get(element.localName));
  check(defined, `not defined: ${named(element)}`);
  if (!defined) continue;
  await Promise.race([element.load?.(), later(end - performance.now())]);
  const drawn = () => element.offsetHeight && element.querySelector("button, input, table, svg")
    && !["loading", "failed"].includes(element.dataset.state);
  check(await soon(drawn), `not drawn: ${named(element)} ${element.innerText.slice(0, 80)}`);
}
for (const figure of all(".minigpt-figure")) {
  figure.scrollIntoView();
  check(await soon(() => figure.querySelector(":scope > :not(noscript)")), `not drawn: ${named(figure)}`);
}
await document.fonts.ready;

for (const formula of all("math")) check(formula.getBoundingClientRect().width, `no width: ${named(formula)}`);
for (const under of all("munder")) check(under.children.length === 2, `not two children: ${named(under)}`);
for (const { family, status } of document.fonts) check(status !== "error", `not loaded: ${family}`);
for (const { name } of performance.getEntriesByType("resource")) {
  check(!name.startsWith("http") || name.startsWith(location.origin), `of another site: ${name}`);
}

// Firefox lets the keyboard stop at each box that scrolls, others at some: the page must say which.
for (const e of all("body *")) {
  const { overflowX, overflowY } = getComputedStyle(e);
  const scrolls = (["auto", "scroll"].includes(overflowX) && e.scrollWidth > e.clientWidth)
    || (["auto", "scroll"].includes(overflowY) && e.scrollHeight > e.clientHeight);
  if (!scrolls || e.localName === "textarea") continue;
  check(await soon(() => e.hasAttribute("tabindex")), `scrolls, and does not say whether it takes the focus: ${named(e)}`);
  check(e.tabIndex < 0 || (e.role && e.ariaLabel), `takes the focus without role and name: ${named(e)}`);
}

const root = document.documentElement;
check(root.scrollWidth <= root.clientWidth, `sideways: ${root.scrollWidth} in ${root.clientWidth}`);
for (const element of elements) {
  for (const e of [element, ...all("*", element)]) {
    const { overflowX, position } = getComputedStyle(e);
    if (position === "absolute" && e.clientWidth && e.clientHeight) check(within(e, element), `not in its place: ${named(e)}`);
    if (!e.clientWidth || ["auto", "scroll"].includes(overflowX) || e.closest(".mg-visually-hidden, [role=img]")) continue;
    check(e.scrollWidth <= e.clientWidth + SLACK, `too wide: ${e.scrollWidth} in ${e.clientWidth} ${named(e)}`);
  }
  // WebKit draws no lines of a hidden row, and always the buttons of a number field.
  const seen = (e) => getComputedStyle(e).visibility === "visible";
  for (const row of all("tr", element)) check(seen(row) || !seen(row.closest("table")), `a hidden row: ${named(row)}`);
  for (const field of all("input[type=number]", element)) {
    const narrow = field.clientWidth < 100;
    check(!narrow || getComputedStyle(field).appearance === "textfield", `too narrow for buttons: ${named(field)}`);
  }
  for (const text of all("svg text", element)) {
    const [box, picture] = [text, text.ownerSVGElement].map((e) => e.getBoundingClientRect());
    const out = Math.max(picture.left - box.left, picture.top - box.top, box.right - picture.right, box.bottom - picture.bottom);
    check(!box.width || out < SLACK, `outside of its picture by ${out.toFixed(1)}: ${text.textContent}`);
  }
}
return [...wrong, ...window.wrong.splice(0)];
