// One kept run, one tab: who trains it holds a lock of its name (Web Locks). Another tab can have
// it, once this one has kept what it did. Where a browser has no locks, every tab is the only one.

export class RunLock {
  static patience = 5000;  // milliseconds that another tab has to let go, before it is taken as gone

  // letGo: called when another tab wants the run; resolves when all of it is kept. Told whether it
  // is too late for that.
  constructor(name, letGo) {
    this.name = `minigpt-training ${name}`;
    this.letGo = letGo;
  }

  // Resolves to whether it is this tab's now.
  async take() {
    return this.request({ ifAvailable: true });
  }

  // Resolves when it is: the other tab lets go of it, or has been asleep for too long.
  async takeOver() {
    if (await this.take()) return;
    const channel = new BroadcastChannel(this.name);
    channel.postMessage("wanted");
    channel.close();
    const signal = AbortSignal.timeout(RunLock.patience);
    if (!await this.request({ signal })) await this.request({ steal: true });
  }

  async isElsewhere() {
    if (this.release || !navigator.locks) return false;
    return (await navigator.locks.query()).held.some(({ name }) => name === this.name);
  }

  request(options) {
    if (this.release || !navigator.locks) return true;
    return new Promise((resolve) => {
      navigator.locks.request(this.name, options, (lock) => {
        resolve(Boolean(lock));
        return lock ? this.held() : undefined;
      }).catch(() => {
        resolve(false);  // it waited in vain
        if (this.release) this.lose();
      });
    });
  }

  // Until it is let go.
  held() {
    const channel = new BroadcastChannel(this.name);
    channel.onmessage = async () => {
      await this.letGo(false);
      this.leave();
    };
    return new Promise((resolve) => {
      this.release = () => { channel.close(); resolve(); };
    });
  }

  leave() {
    this.release?.();
    this.release = undefined;
  }

  lose() {
    this.leave();
    this.letGo(true);
  }
}
