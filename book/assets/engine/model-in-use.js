// Which model the elements of a page use: the book's own, or one that the reader has opened.

let own;
const listeners = new Set();

// A ModelInWorker, or undefined for the book's.
export const ownModel = () => own;

export function useModel(model) {
  if (model === own) return;
  const before = own;
  own = model;
  for (const listener of listeners) listener();
  before?.close();
}

export function whenModelChanges(listener) {
  listeners.add(listener);
}
