// What the browser keeps of training: a run, to go on after its tab was closed, and a model on its
// way to the playground. A browser in which nothing can be kept says so by an error.

const STORE = "kept";

function whole(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds what is kept"));
  });
}

// act: told the store. Resolves to what its request gives, when that is on the disk.
async function inStore(mode, act) {
  if (!globalThis.indexedDB) throw new Error("this browser keeps nothing here");
  const opening = indexedDB.open("minigpt-training", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await whole(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser did not keep it"));
    });
    const result = await whole(act(transaction.objectStore(STORE)));
    await done;
    return result;
  } finally {
    database.close();
  }
}

export const keep = (name, value) => inStore("readwrite", (store) => store.put(value, name));
export const kept = (name) => inStore("readonly", (store) => store.get(name));
export const forget = (name) => inStore("readwrite", (store) => store.delete(name));
