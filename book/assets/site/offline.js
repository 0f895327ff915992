// The book for reading offline, when a reader asks for it: below the chapters, and by itself in
// the installed app. service-worker.js fetches the files and answers from them.
(() => {
  const BYTES = 0;  // of all files; book/_ext/site/offline_site.py writes it
  const box = document.querySelector(".mg-offline");
  const root = new URL("../../", document.currentScript.src);
  const workers = navigator.serviceWorker;
  if (!workers) return;  // none without https, and in some browsers' private windows

  const [status, bar, keep, remove, news, reload] = ["status", "bar", "keep", "remove", "news", "reload"]
    .map((part) => box.querySelector(`.mg-offline-${part}`));
  const OFFER = `Keep for reading offline (${(BYTES / 1e6).toFixed(1)}\u00a0MB)`;
  const KEPT = "Kept for reading offline.";
  const WHY = {
    unreachable: "Could not fetch every file: check the connection and try again. What has come is not fetched twice.",
    full: "There is too little room for the book: free some storage on this device, then try again.",
    refused: "This browser does not let the page keep files: leave the private window, or allow the site to store data, then try again.",
  };
  const mistake = (message) => "The page made a mistake while keeping the book: please report it, by the link "
    + `“Report a mistake” at the end of the page. (${message})`;
  let state;

  const show = (next, text = "") => {
    const focused = [keep, remove].includes(document.activeElement);
    state = next;
    if (status.textContent !== text) status.textContent = text;  // or it would be read out again
    bar.hidden = state !== "keeping";
    keep.textContent = state === "failed" ? "Try again" : OFFER;
    keep.setAttribute("aria-disabled", state === "keeping");
    keep.hidden = state === "kept";
    remove.hidden = !["kept", "failed"].includes(state);
    if (focused) (keep.hidden ? remove : keep).focus();
    box.hidden = false;
  };
  const fail = (why = "unreachable", message) => show("failed", WHY[why] ?? mistake(message));

  // Whether the reader has removed the book, so that the installed app does not keep it again.
  const wish = (removed) => {
    try {
      if (removed) localStorage.setItem("offline", "removed");
      else localStorage.removeItem("offline");
    } catch { /* storage is blocked */ }
  };
  const removedBefore = () => {
    try { return localStorage.getItem("offline") === "removed"; } catch { return false; }
  };

  const start = async () => {
    if (state === "keeping") return;
    wish(false);
    bar.removeAttribute("value");
    status.setAttribute("role", "status");  // from now on: what a page says when it opens is not read out
    show("keeping", "Keeping the book for reading offline …");
    navigator.storage?.persist?.().catch(() => {});  // or a browser short of room deletes it unasked
    try {
      const registration = await workers.register(new URL("service-worker.js", root));
      if (registration.active) registration.active.postMessage("keep");
      else follow(registration);
    } catch (error) {
      fail(error.name === "SecurityError" ? "refused" : "unreachable");
    }
  };

  // From here on the box says what becomes of the registration.
  const follow = (registration) => {
    const waits = () => { if (registration.waiting && registration.active) news.hidden = false; };
    registration.addEventListener("updatefound", () => {
      registration.installing.addEventListener("statechange", waits);
    });
    waits();
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    const settle = () => {
      if (worker.state === "activated") show("kept", KEPT);
      else if (worker.state === "redundant" && state === "keeping") fail();
    };
    if (worker !== registration.active) show("keeping", "Keeping the book for reading offline …");
    worker.addEventListener("statechange", settle);
    settle();
  };

  workers.addEventListener("message", ({ data: { done, total, kept, failed, message } }) => {
    // An edition that comes behind the kept one is nobody's concern until it is there.
    if (failed && state !== "kept") fail(failed, message);
    if (state !== "keeping") return;
    if (kept) show("kept", KEPT);
    if (!total) return;
    Object.assign(bar, { max: total, value: done });
    bar.setAttribute("aria-valuetext", `${done} of ${total} files`);
  });

  keep.addEventListener("click", start);

  remove.addEventListener("click", async () => {
    wish(true);
    const registration = await registered();
    await registration?.unregister();
    for (const name of await ourCaches()) await caches.delete(name);
    news.hidden = true;
    show("offered", "Removed from this device.");
  });

  let asked = false;
  reload.addEventListener("click", async () => {
    const waiting = (await registered())?.waiting;
    if (!waiting) location.reload();
    asked = true;
    waiting?.postMessage("take over");
  });
  // Another page that has not asked goes on undisturbed, and still offers the new edition.
  workers.addEventListener("controllerchange", () => { if (asked) location.reload(); });

  // The one of this site: a host's own may cover it too.
  const registered = async () => {
    const registration = await workers.getRegistration(root);
    return registration?.scope === root.href ? registration : undefined;
  };

  const ourCaches = async () => (await caches.keys()).filter((name) => name.startsWith(`offline ${root.href} `));

  addEventListener("appinstalled", () => { if (state !== "kept") start(); });
  Promise.all([registered(), ourCaches()]).then(([registration, stored]) => {
    if (registration && stored.length) follow(registration);
    else if (matchMedia("(display-mode: standalone)").matches && !removedBefore()) start();
    else if (stored.length) fail("unreachable");  // an attempt that was broken off; it can be removed
    else show("offered");
  }, () => {});  // nothing to offer where storage is blocked, and for pages opened as files
})();
