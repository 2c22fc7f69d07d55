// The service worker: the application's own files for an instant and an offline start; never an answer of the API.
//
// `xtask` fills in the names of this build's files and a version that changes with any byte of them.
// Kill switch: a server that answers `/sw.js` with 404 or an empty worker ends this one; a page can also send it
// the message "retire", and then every cache of ours is deleted and the worker unregisters itself.
const VERSION = "__VERSION__";
const ASSETS = __ASSETS__;
const SHELL = "/index.html";
const CACHE = `tocsin-${VERSION}`;
const EXTRAS = ["/manifest.webmanifest", "/icons/icon.svg", "/icons/icon-192.png"];

// Answered by the server alone: they are not the application, or must be true.
const NEVER = [/^\/api\//, /^\/ingest\//, /^\/falcon\//, /^\/a\//, /^\/healthz$/, /^\/readyz$/, /^\/metrics$/, /^\/sw\.js$/];

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // What the page has just fetched is not fetched again: a name with a hash never means anything else.
      await cache.addAll([...ASSETS, new Request(SHELL, { cache: "reload" })]);
      // A missing icon must not keep the offline page from people.
      await Promise.allSettled(EXTRAS.map((url) => cache.add(url)));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(names.filter((name) => name.startsWith("tocsin-") && name !== CACHE).map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "retire") event.waitUntil(retire());
});

async function retire() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("tocsin-")).map((name) => caches.delete(name)));
  await self.registration.unregister();
}

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (NEVER.some((path) => path.test(url.pathname))) return;
  if (request.mode === "navigate") {
    event.respondWith(page(request));
  } else if (ASSETS.includes(url.pathname) || EXTRAS.includes(url.pathname)) {
    event.respondWith(asset(request));
  }
});

// The network first, because a page names the files of its own build; the cached shell when there is none.
async function page(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(4000) });
    // A proxy without its server is as good as no network.
    if (answer.status < 502) return answer;
  } catch {
    // Offline, or too slow for somebody who was just woken.
  }
  const cached = await caches.match(SHELL, { cacheName: CACHE });
  return cached ?? Response.error();
}

// Names carry the hash of the content, so a hit is always right.
async function asset(request) {
  const cached = await caches.match(request, { cacheName: CACHE });
  return cached ?? fetch(request);
}
