// What has the focus, as a reader finds it: null where the page itself has it, or where it was before.
let e = document.activeElement;
while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
const visited = (window.visited ??= []);
if (!e || e === document.body || visited.includes(e)) return null;

function inPage(node) {
  while (node.getRootNode() !== document) node = node.getRootNode().host;
  return node;
}
const seen = () => {
  const { left, top, right, bottom, width, height } = e.getBoundingClientRect();
  return Boolean(width && height && right > 0 && bottom > 0 && left < innerWidth && top < innerHeight);
};
for (let waited = 0; !seen() && waited < 1000; waited += 20) await new Promise((done) => setTimeout(done, 20));

const [before, here] = [visited.at(-1), e].map((node) => node && inPage(node));
visited.push(e);
const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
return {
  name: (e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent).trim().slice(0, 40),
  seen: seen(),
  marked: (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none",
  later: !before || before === here || Boolean(before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING),
};
