// A worker that is asked by messages, {number, method, args}, and answers {number, result}, or
// {number, error, name}; meanwhile it may report {number, progress}.

export class AskedWorker {
  // whyNotStarted: resolves to the error of a worker that did not start, of which a browser tells
  // nothing.
  constructor(worker, whyNotStarted) {
    this.worker = worker;
    this.waiting = new Map();
    this.asked = 0;
    worker.addEventListener("message", ({ data: { number, progress, result, error, name, news } }) => {
      if (news) this.hear?.(news);  // what it tells unasked
      const { resolve, reject, report } = this.waiting.get(number) ?? {};
      if (!resolve) return;  // the worker broke meanwhile
      if (progress) {
        report?.(progress);
        return;
      }
      this.waiting.delete(number);
      if (error === undefined) resolve(result);
      else reject(Object.assign(new Error(error), { name }));
    });
    worker.addEventListener("error", async (event) => {
      event.preventDefault();
      this.breakWith(event.message
        ? Object.assign(new Error(event.message), { name: "UncaughtError" })
        : await whyNotStarted());
    });
  }

  // Whoever waits is told, and whoever asks from now on.
  breakWith(error) {
    this.broken = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  // Give its memory back.
  close() {
    this.worker.terminate();
    this.breakWith(new Error("the worker was closed"));
  }

  ask(method, args, report) {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      const number = ++this.asked;
      this.waiting.set(number, { resolve, reject, report });
      this.worker.postMessage({ number, method, args });
    });
  }
}
