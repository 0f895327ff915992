// The other half of a batch, computed at the same time by second-worker.js.

const PAYS = 5e7;  // numbers of a model times tokens of a batch: below, the way there takes as long
const LATE = 10_000;  // milliseconds after which a worker is given up: a browser may end it, and tell nobody

// Whether a second core makes a step faster here: 1.8 times at 0.2 million numbers and more, 1.1 at
// 28 thousand (two cores, Chromium).
const pays = (numbers, tokens) =>
  numbers * tokens >= PAYS && (globalThis.navigator?.hardwareConcurrency ?? 1) > 1;

// Of a batch of windows, each `length` tokens, how many a second core takes, 0 where it does not
// help. together: whether it helps; if it is not said, where that pays.
export const windowsOfSecond = (numbers, batch, length, together = pays(numbers, batch * length)) =>
  together ? Math.floor(batch / 2) : 0;

export class SecondCore {
  // Resolves to nothing where no second worker starts: then one core does it all.
  static async start(config, sizes, inScript) {
    try {
      const second = new SecondCore(new Worker(new URL("second-worker.js", import.meta.url), { type: "module" }));
      await second.ask({ begin: { config, sizes, inScript } });
      return second;
    } catch {
      return undefined;
    }
  }

  constructor(worker) {
    this.worker = worker;
    worker.addEventListener("message", ({ data }) => (data.error ? this.fail(data.error) : this.resolve(data)));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.fail(event.message);
    });
  }

  fail(reason) {
    this.failed = true;
    this.worker.terminate();
    this.reject(new Error(reason));
  }

  ask(message, given = []) {
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, reject });
      this.worker.postMessage(message, given);
      const late = setTimeout(() => this.fail("the second core does not answer"), LATE);
      this.stopWaiting = () => clearTimeout(late);
    }).finally(() => this.stopWaiting());
  }

  // Resolves to {loss, gradients}, of windows that it is told. The array goes there and back.
  async gradientOf(weights, inputs, targets) {
    const array = this.array ?? new Float32Array(weights.length);
    array.set(weights);
    const answer = await this.ask({ weights: array, inputs, targets }, [array.buffer]);
    this.array = answer.gradients;
    return answer;
  }
}
