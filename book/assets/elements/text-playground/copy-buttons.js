// The text, or a link to it, for elsewhere.

import { ownModel } from "../../engine/model-in-use.js";
import { make } from "../../parts/token-chips.js";

// text, link: ask for what is copied. say: told what the reader should hear.
export function copyButtons({ text, link, say }) {
  const button = (name, click) => make("button", { type: "button", class: "mg-button", text: name, click });
  const copy = async (what, done, instead) => {
    if (!what) return;
    try {
      await navigator.clipboard.writeText(what);
      say(done);
    } catch {
      say(`The browser did not allow copying. ${instead}`);
    }
  };
  return [
    button("Copy text", () => copy(text(), "Text copied.", "Select the text and copy it by hand.")),
    button("Copy link", () => {
      history.replaceState(history.state, "", link());
      // Only the book's model is in a link, so a text of another cannot be either.
      return copy(location.href, ownModel()
        ? "Link to the fields copied. This model is not in it: whoever opens it gets the book’s model, and another text."
        : "Link copied; it is in the address bar too.", "The link is in the address bar: copy it from there.");
    }),
  ];
}
