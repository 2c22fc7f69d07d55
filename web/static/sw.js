// The service worker: the application's own files for an instant and an offline start, never an answer of the API; and
// pages that are pushed: shown, told of (`POST /p/r`), acknowledged by their button (`POST /a/…`).
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
const NEVER = [/^\/api\//, /^\/ingest\//, /^\/falcon\//, /^\/a\//, /^\/p\//, /^\/r\//, /^\/cb\//, /^\/healthz$/, /^\/readyz$/, /^\/metrics$/, /^\/sw\.js$/];

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(drop((name) => name !== CACHE).then(() => self.clients.claim())));
self.addEventListener("message", (event) => {
  if (event.data === "retire") event.waitUntil(drop(() => true).then(() => self.registration.unregister()));
  // The application starts: what could not be said may be said now.
  if (event.data === "flush") event.waitUntil(flush());
});

async function install() {
  const cache = await caches.open(CACHE);
  // What the page has just fetched is not fetched again: a name with a hash never means anything else.
  await cache.addAll([...ASSETS, new Request(SHELL, { cache: "reload" })]);
  // A missing icon must not keep the offline page from people.
  await Promise.allSettled(EXTRAS.map((url) => cache.add(url)));
  await self.skipWaiting();
}

async function drop(is) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("tocsin-") && is(name)).map((name) => caches.delete(name)));
}

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (NEVER.some((path) => path.test(url.pathname))) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (ASSETS.includes(url.pathname) || EXTRAS.includes(url.pathname)) event.respondWith(asset(request));
});

// The network first, because a page names the files of its own build; the cached shell when there is none.
async function page(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(4000) });
    // A proxy without its server is as good as no network.
    if (answer.status < 502) return answer;
  } catch {} // Offline, or too slow for somebody who was just woken.
  return (await caches.match(SHELL, { cacheName: CACHE })) ?? Response.error();
}

// Names carry the hash of the content, so a hit is always right.
const asset = async (request) => (await caches.match(request, { cacheName: CACHE })) ?? fetch(request);

const WORDS = {
  en: { ack: "Acknowledge", open: "Open", acked: "Acknowledged", failed: "Ack NOT recorded — tap to try again", garbled: "A page arrived that cannot be read", look: "Open Tocsin to see it." },
  zh: { ack: "认领", open: "打开", acked: "已认领", failed: "认领未记录 — 点击重试", garbled: "收到一条无法读取的通知", look: "请打开 Tocsin 查看。" },
};
const tongue = (lang) => (String(lang || self.navigator.language).toLowerCase().startsWith("zh") ? "zh" : "en");
const words = (lang) => WORDS[tongue(lang)];

self.addEventListener("push", (event) => event.waitUntil(arrived(read(event))));
self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  const again = action === "" && notification.data?.again;
  event.waitUntil(action === "ack" || again ? acknowledge(notification.data ?? {}) : open(notification));
});
self.addEventListener("notificationclose", (event) => event.waitUntil(Promise.allSettled([tell(event.notification.data, "dismissed"), count()])));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
self.addEventListener("sync", (event) => event.waitUntil(flush()));

// What was pushed. A browser that reads such messages itself hands on the notification alone, with our `data` in it.
function read(event) {
  try {
    const { title, body, lang, tag, silent, navigate, data } = event.data?.json().notification ?? event.notification;
    if (typeof title === "string" && title !== "") return { title, body, lang, tag, silent, navigate, ...data };
  } catch {} // Shown all the same: browsers end a subscription whose pushes show nothing.
  return { title: `Tocsin: ${words().garbled}`, body: words().look };
}

async function arrived(page) {
  // Before anything is waited for, and whatever an open window shows already.
  await show(page, { renotify: page.r === true, requireInteraction: page.urgent === true, silent: page.silent === true });
  announce(page.over === true ? "over" : "shown", page);
  await Promise.allSettled([tell(page, "shown"), count()]);
}

// One after the other: Chromium forgets what is being shown while it is asked what is shown; a press on it would do nothing.
let turn = Promise.resolve();
const alone = (work) => (turn = turn.then(work, work));

// Never without a tag: `renotify` without one throws, and so does `silent` with `vibrate`.
const show = (page, how) => alone(() => put(page, how));
async function put(page, how) {
  const t = words(page.lang);
  const plain = { tag: String(page.tag || "tocsin"), body: String(page.body ?? ""), data: page };
  const actions = [...(page.cap ? [{ action: "ack", title: t.ack }] : []), { action: "open", title: t.open }];
  const looks = { icon: "/icons/icon-192.png", badge: "/icons/icon-192.png", lang: page.lang || "", actions };
  const loud = how.requireInteraction ? { vibrate: [300, 100, 300, 100, 600] } : {};
  try {
    await self.registration.showNotification(page.title, { ...plain, ...looks, ...how, ...(how.silent ? {} : loud) });
  } catch {
    await self.registration.showNotification(page.title, plain);
  }
}

// To open windows: they ring, and they draw what is acknowledged.
const CHANNEL = new BroadcastChannel("tocsin-push");
const announce = (kind, { title, tag, sev, i, urgent }) => CHANNEL.postMessage({ kind, title, tag, severity: sev, incident: i, urgent: urgent === true });

// Only what comes back from the page of this very link is an answer of ours: whatever stands in between may redirect too.
async function acknowledge(page) {
  const [t, link, title] = [words(page.lang), `/a/${page.cap}`, page.was ?? page.title];
  let done = false;
  try {
    const answer = await fetch(link, { method: "POST", body: new URLSearchParams({ action: "ack" }), signal: AbortSignal.timeout(15000) });
    done = answer.ok && answer.redirected && new URL(answer.url).pathname === link;
  } catch {} // No network, or no server: said below.
  if (!done) {
    const failed = { ...page, title: t.failed, body: title, was: title, again: true };
    return show(failed, { renotify: true, requireInteraction: true, silent: false });
  }
  // Nothing is left to answer for.
  const { cap, again, was, ...rest } = page;
  await show({ ...rest, title: `${t.acked}: ${title}`, body: was ? "" : page.body }, { renotify: false, requireInteraction: false, silent: true });
  announce("acked", page);
  await Promise.allSettled([tell(page, "opened"), count()]);
}

async function open(notification, page = notification.data ?? {}) {
  notification.close();
  await Promise.allSettled([visit(target(page)), tell(page, "opened"), count()]);
}

// Nothing that is pushed leads away from here.
function target(page) {
  const url = page.navigate ? URL.parse?.(page.navigate, self.location.origin) : null;
  if (url?.origin === self.location.origin) return url.href;
  return Number.isInteger(page.i) ? `/incidents/${page.i}` : "/";
}

async function visit(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const known = windows.find((one) => one.focused) ?? windows[0];
  try {
    if (known && (await (await known.focus()).navigate(url))) return;
  } catch {} // A window of another version of ours, or one that must not be focused.
  await self.clients.openWindow(url);
}

// How many pages wait on this screen.
async function count() {
  if (!self.navigator.setAppBadge) return;
  const waiting = (await alone(() => self.registration.getNotifications())).filter((one) => one.data?.cap).length;
  await (waiting > 0 ? self.navigator.setAppBadge(waiting) : self.navigator.clearAppBadge());
}

// What became of a page. What cannot be said now is kept and said later; the server counts the first of each kind.
async function tell(page, kind) {
  if (!page?.cap) return;
  const said = { cap: page.cap, kind, device: page.v };
  if (await post(said)) return flush();
  await receipts((store) => store.add({ ...said, at: Date.now() }));
  await self.registration.sync?.register("tocsin-receipts").catch(() => {});
}

const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
// What is refused now is refused for ever, unless the server is busy.
const isTaken = ({ status }) => status < 500 && status !== 429 && status !== 408;
// What is said late says how late, so that the device is not taken for a slow one.
const late = (at) => (at ? Math.min(Math.max(Date.now() - at, 0), 86_400_000) : 0);
const post = ({ cap, kind, device, at }) =>
  fetch("/p/r", { ...json({ cap, kind, device, late_ms: late(at) }), keepalive: true }).then(isTaken, () => false);

async function flush() {
  for (const said of await receipts((store) => store.getAll())) {
    if (!(await post(said))) return;
    await receipts((store) => store.delete(said.n));
  }
}

const receipts = (work) =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open("tocsin-receipts", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("said", { keyPath: "n", autoIncrement: true });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("said", "readwrite");
      const asked = work(transaction.objectStore("said"));
      transaction.oncomplete = () => (opening.result.close(), resolve(asked.result));
      transaction.onabort = () => (opening.result.close(), reject(transaction.error));
    };
  });

// The browser gave its subscription another address; a later start of the application says so too.
async function renew(event) {
  const { key } = await (await fetch("/api/v1/push/key")).json();
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  const { endpoint, keys } = (event.newSubscription ?? (await self.registration.pushManager.subscribe(wanted))).toJSON();
  const replaces = event.oldSubscription?.endpoint ?? null;
  await fetch("/api/v1/me/devices", json({ label: "", endpoint, ...keys, language: tongue(), replaces, renew: replaces !== null }));
}
