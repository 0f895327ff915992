// Answers for the site from the files that a reader keeps for reading offline. Above these lines
// book/_ext/site/offline_site.py writes VERSION and FILES: {address below the site's root: its hash}.

const SCOPE = registration.scope;
const OURS = `offline ${SCOPE} `;  // caches are shared by all sites of a host
const CACHE = OURS + VERSION;
const AT_ONCE = 6;

addEventListener("install", (event) => event.waitUntil(keepAll()));
addEventListener("activate", (event) => event.waitUntil(takeOver()));

addEventListener("message", (event) => {
  // Sent by a reader who wants the new edition now. It else waits until no page of the old one is
  // open, whose later requests would get files of the new one.
  if (event.data === "take over") skipWaiting();
  // A worker whose files were removed lives on as long as a page does, and is not installed again.
  if (event.data === "keep") event.waitUntil(keepAll().then(() => tell({ kept: true })));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || request.headers.has("Range") || !request.url.startsWith(SCOPE)) return;
  const address = new URL(request.url);
  address.search = address.hash = "";  // pages are static: a query is read by their scripts
  if (address.pathname.endsWith("/")) address.pathname += "index.html";
  if (Object.hasOwn(FILES, address.href.slice(SCOPE.length))) event.respondWith(answer(request, address));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(noSuchPage));
});

// Not caches.open: that would make anew what a reader has removed.
const kept = (address, cacheName = CACHE) => caches.match(address, { cacheName });

async function answer(request, address) {
  return await kept(address) ?? fetch(request);
}

async function noSuchPage() {
  const page = await kept(new URL("404.html", SCOPE));
  return page ? new Response(page.body, { status: 404, headers: page.headers }) : Response.error();
}

const ourCaches = async () => (await caches.keys()).filter((name) => name.startsWith(OURS));

// Rejects unless every file is there: then the browser drops this worker, and the edition before
// goes on. What came stays for the next attempt.
async function keepAll() {
  const cache = await caches.open(CACHE);
  const places = await ourCaches();
  const left = Object.entries(FILES);
  const total = left.length;
  let done = 0;
  let error;
  const lane = async () => {
    while (left.length && !error) {
      const [address, hash] = left.pop();
      try {
        await keep(cache, places, new URL(address, SCOPE), hash);
        await tell({ done: ++done, total });
      } catch (reason) {
        error ??= reason;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  if (!error) return;
  const full = error.name === "QuotaExceededError";
  if (full) await caches.delete(CACHE);
  await tell({ failed: full ? "full" : error.unreachable ? "unreachable" : "mistake", message: `${error.name}: ${error.message}` });
  throw error;
}

// A file whose hash has not changed is not fetched again.
async function keep(cache, places, address, hash) {
  for (const name of places) {
    const stored = await kept(address, name);
    if (stored?.headers.get("ETag") !== hash) continue;
    if (name !== CACHE) await cache.put(address, stored);
    return;
  }
  // A file of another edition, out of a cache on the way or from a server in the middle of an
  // update, does not have the hash: fetch rejects it, and with it the answer of an error.
  const body = await fetch(address, { cache: "no-store", integrity: hash }).then((answer) => answer.blob())
    .catch((error) => { throw Object.assign(error, { unreachable: true }); });
  const headers = { "Content-Length": body.size, ETag: hash };  // the type is the blob's
  await cache.put(address, new Response(body, { headers }));
}

async function takeOver() {
  for (const name of await ourCaches()) {
    if (name !== CACHE) await caches.delete(name);
  }
  await clients.claim();  // the page that asked, for what it has yet to load
}

async function tell(message) {
  for (const page of await clients.matchAll({ includeUncontrolled: true, type: "window" })) page.postMessage(message);
}
