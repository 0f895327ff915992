// Stands first in a page, before its own scripts: `wrong` is what went wrong in it.
window.wrong = [];
{
  const note = (...words) => window.wrong.push(words.join(" "));
  for (const level of ["error", "warn"]) {
    const say = console[level];
    console[level] = (...words) => {
      note(`console.${level}:`, ...words);
      say.apply(console, words);
    };
  }
  addEventListener("unhandledrejection", ({ reason }) => note("rejected:", reason));
  addEventListener("securitypolicyviolation", ({ blockedURI }) => note("of another site:", blockedURI));
  // Files that do not load tell their own element alone, and what stands above it beforehand.
  // Firefox fetches the next page too, when it has nothing to do, and gives up when it has.
  addEventListener("error", ({ message, target }) => {
    if (target.rel !== "next") note(message ?? `not loaded: ${target.src ?? target.href}`);
  }, true);
  const ask = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    if (!answer.ok) note(`${answer.status}: ${answer.url}`);
    return answer;
  };
}
