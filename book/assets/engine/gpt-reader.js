// What minigpt.generation.Reader does for one text: the scores after it, with nothing read twice.
//
// A model sees `n_positions` tokens. When a text has grown beyond that, its older half is
// forgotten: the newest half stays, and is read anew, as if the text began with it.

export class GPTReader {
  constructor(model) {
    this.model = model;
    this.read = [];       // the tokens in the model's cache
    this.latest = undefined;  // the scores after them
  }

  // ids: the whole text. Returns V numbers.
  scores(ids) {
    const window = visible(ids, this.model.config.n_positions);
    this.model.check(window, 0);
    let same = 0;
    while (same < window.length && window[same] === this.read[same]) same++;
    if (same === window.length && same === this.read.length) return this.latest.slice();
    const kept = Math.min(same, window.length - 1);  // the last one is read again, for its scores
    this.model.rewind(kept);
    this.read = [];       // should reading fail, nothing of this is trusted
    this.latest = this.model.read(window.slice(kept));
    this.read = window;
    return this.latest.slice();
  }
}

// The tokens that the model sees of a text. It grew one by one beyond the first `room`: each time
// that it was full, all but the newest half was forgotten.
export function visible(ids, room) {
  const half = Math.max(1, Math.floor(room / 2));
  if (ids.length <= room) return [...ids];
  const beyond = (ids.length - room - 1) % (room + 1 - half);
  return ids.slice(-(half + beyond));
}
