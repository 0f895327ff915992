// Declarations of the site's style sheets that this browser does not know, in any spelling of theirs.
const SPELLINGS = ["", "-webkit-"];
const unknown = [];
for (const sheet of args) {
  const text = (await (await fetch(sheet)).text()).replace(/\/\*[^]*?\*\/|@font-face[^}]*}/g, "");
  for (const [, name, value] of text.matchAll(/[{;]\s*([a-z][a-z-]*):\s*([^;{}]+?)\s*(?:!important\s*)?(?=[;}])/g)) {
    const known = (spelling) => CSS.supports(spelling + name, value) && text.includes(`${spelling}${name}: ${value}`);
    if (!SPELLINGS.some(known)) unknown.push(`${name}: ${value}`);
  }
}
return unknown;
