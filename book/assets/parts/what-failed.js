// What failed, and what a reader can do: the network, the file, this device, or the page itself.

export const outOfMemory = (error) => /allocation|memory/i.test(error.message);

// JavaScript's own kinds of errors (TypeError, ReferenceError, …): only faulty programs throw them.
export const isMistake = (error) => !["Error", "NetworkError", "SecurityError"].includes(error.name) && !outOfMemory(error);

export function mistake({ name, message }) {
  return "The page made a mistake: reload it. If that does not help, please report it, by the link "
    + `“Report a mistake” at the end of the page. (${name}: ${message})`;
}

// what: which thing did not come, as "the model". again: how to try once more.
export function whatFailed(what, error, again = "press the button, or reload the page") {
  if (isMistake(error)) return mistake(error);
  const told = `(${error.message})`;
  if (outOfMemory(error)) return `This device has too little memory for ${what}: close other tabs and try again. ${told}`;
  if (error.name === "SecurityError") return `This browser does not let ${what} run here: allow this site to start workers, or try another browser. ${told}`;
  if (error.name === "NetworkError") return `Could not load ${what}: check the connection and ${again}. ${told}`;
  return `Could not read ${what}: the file is damaged, or of another edition of the book; ${again}. ${told}`;
}
