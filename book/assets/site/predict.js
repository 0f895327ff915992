// "Predict, then run": the reader answers first. The answer is kept beside what opens then, and
// goes nowhere else.
(() => {
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // What is folded below a question, as far as the next text.
  const foldsBelow = (question) => {
    const folds = [];
    for (let next = question.nextElementSibling; next?.matches("details, .cell"); next = next.nextElementSibling) {
      folds.push(...(next.matches("details") ? [next] : next.querySelectorAll("details.mg-foreseen")));
    }
    return folds;
  };

  let asked = 0;
  for (const question of document.querySelectorAll(".mg-predict")) {
    const folds = foldsBelow(question);
    if (!folds.length) continue;
    asked += 1;
    const field = make("input", { type: "text", id: `mg-guess-${asked}`, autocomplete: "off", maxLength: 200 });
    const button = make("button", { type: "submit", className: "mg-button", textContent: "Show what comes" });
    const said = make("p", { className: "mg-guess-said", hidden: true });
    said.setAttribute("role", "status");
    const form = make("form", { className: "mg-guess" }, make("label", { htmlFor: field.id, textContent: "Your guess" }), field, button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const guess = field.value.trim();
      said.textContent = guess ? `You said: ${guess}` : "Say something first, if it is only a hunch: a guess that was wrong is remembered. Or open the fold below.";
      said.hidden = false;
      if (!guess) {
        field.focus();
        return;
      }
      form.hidden = true;
      for (const fold of folds) fold.open = true;
    });
    question.after(form, said);
  }
})();
