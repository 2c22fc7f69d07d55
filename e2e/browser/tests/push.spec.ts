// A page is pushed, shown by the service worker, told of and acknowledged by its button: by a real server, through a push
// service that somebody else wrote (web-push-testing), into the worker that people's browsers run.
// What stands in for a browser's maker is only the way from the push service to the worker: Chromium's own tools deliver it.
import { expect, test as base, type Page, type Route, type Worker } from '@playwright/test';
import { ask, join, send } from '../newcomer.ts';
import { pushService, type PushService } from '../push-service.ts';
import { start, type Server } from '../server.ts';

const program = process.env.TOCSIN_BIN;

interface Message {
  web_push: number;
  notification: { title: string; body: string; navigate: string; lang: string; tag: string; data: Record<string, unknown> };
}

/** What a person's browser has: notifications as they are shown. */
interface Shown {
  title: string;
  body: string;
  tag: string;
  silent: boolean | null;
  renotify: boolean;
  requireInteraction: boolean;
  actions: string[];
}

type Service = PushService<Message>;

/** Hands something to the worker, as a browser does what its push service gave it. */
type Deliver = (message: string | object) => Promise<void>;

const test = base.extend<{ server: Server; service: Service; worker: Worker; deliver: Deliver }>({
  server: async ({ page }, use) => {
    base.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');
    const server = await start(program!);
    await join(page, server, ORGANISATION);
    await use(server);
    await server.stop();
  },
  service: async ({ page, server }, use) => {
    const service = await pushService<Message>(page, server);
    const { endpoint, keys } = service;
    await ask(page, server, 'POST', 'me/devices', { label: 'Pixel', endpoint, ...keys, language: 'en' });
    await use(service);
    await service.stop();
  },
  worker: async ({ page, context, server }, use) => {
    await context.grantPermissions(['notifications'], { origin: server.url });
    await page.goto(server.url);
    const started = context.serviceWorkers()[0] ?? context.waitForEvent('serviceworker');
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/sw.js');
      await navigator.serviceWorker.ready;
    });
    await use(await started);
  },
  deliver: async ({ page, context, server, worker }, use) => {
    expect(worker.url()).toBe(`${server.url}/sw.js`);
    const tools = await context.newCDPSession(page);
    let registrationId = '';
    tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      registrationId = registrations.find((it) => !it.isDeleted)?.registrationId ?? registrationId;
    });
    await tools.send('ServiceWorker.enable');
    await expect.poll(() => registrationId).not.toBe('');
    const deliver = (data: string) => tools.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data });
    await use(async (message) => {
      // Whoever asks for what is shown while it is being shown makes Chromium forget it: the worker says when it is.
      const told = await listen(page);
      await deliver(typeof message === 'string' ? message : JSON.stringify(message));
      await told();
    });
  },
});

const ORGANISATION = `
fallback = ["person:li"]
channels.push = { contact = "mailto:oncall@example.org", hosts = ["localhost"] }

[[people]]
id = "li"
name = "Li Wei"
contacts = [{ id = "phone", push = "all" }]

[[policies]]
id = "everything"
levels = [{ notify = ["person:li"], delay = "5m" }]

[[routes]]
id = "everything"
policy = "everything"
`;

/** A P0 reaches the push service; gives what it was. */
async function pushed(page: Page, server: Server, service: Service, host = 'db-07'): Promise<Message> {
  const before = service.messages().length;
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: `Scripts ${before}` });
  await send(page, server, ingest, `[P0][PROBLEM][${host}][10.1.2.3][host is down]`);
  await expect.poll(() => service.messages().length).toBe(before + 1);
  return service.messages()[before];
}

const shown = (page: Page): Promise<Shown[]> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const all = (await registration.getNotifications()) as (Notification & { renotify: boolean; actions: { action: string }[] })[];
    return all.map(({ title, body, tag, silent, renotify, requireInteraction, actions }) => ({
      title,
      body,
      tag,
      silent,
      renotify,
      requireInteraction,
      actions: actions.map((it) => it.action),
    }));
  });

async function clear(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    (await registration.getNotifications()).forEach((it) => it.close());
  });
  await expect.poll(() => shown(page)).toHaveLength(0);
}

/** Somebody touches the notification that is shown; the worker's own promise is waited for. */
const touch = (worker: Worker, action: string, kind = 'notificationclick') =>
  worker.evaluate(
    async ([action, kind]) => {
      const scope = self as unknown as ServiceWorkerGlobalScope;
      const [notification] = await scope.registration.getNotifications();
      const event = new NotificationEvent(kind, { notification, action });
      let whole: Promise<unknown> = Promise.resolve();
      event.waitUntil = (promise: Promise<unknown>) => void (whole = promise);
      scope.dispatchEvent(event);
      await whole;
    },
    [action, kind],
  );

/** What the worker tells open pages next. The page listens when this returns: what is told before would be lost. */
async function listen(page: Page): Promise<() => Promise<unknown>> {
  const next = await page.evaluateHandle(() => {
    const channel = new BroadcastChannel('tocsin-push');
    const data = new Promise<unknown>((resolve) => (channel.onmessage = (it) => resolve(it.data)));
    // In an object of its own: a promise that is returned would be waited for.
    return { channel, data };
  });
  return () => next.evaluate((it) => it.data);
}

async function receipts(page: Page, server: Server, incident: number): Promise<string[]> {
  const { timeline } = await ask(page, server, 'GET', `incidents/${incident}`);
  const entries = timeline as { what: { kind: string; receipt?: { kind: string }; device?: string } }[];
  return entries.filter((it) => it.what.receipt).map((it) => `${it.what.receipt!.kind} ${it.what.device}`);
}

const state = async (page: Page, server: Server, incident: number) =>
  (await ask(page, server, 'GET', `incidents/${incident}`)).incident?.state;

test('a page is pushed, shown, told of, replaced and acknowledged', { tag: '@phone' }, async ({ page, server, service, worker, deliver }) => {
  const message = await pushed(page, server, service);
  expect(message.web_push).toBe(8030);
  expect(message.notification).toMatchObject({ title: 'P0 db-07 host is down', lang: 'en', tag: 'i1' });
  const heard = await listen(page);

  await test.step('it is on the screen, and the server knows', async () => {
    await deliver(message);
    await expect.poll(() => shown(page)).toHaveLength(1);
    const [first] = await shown(page);
    expect(first).toMatchObject({ title: 'P0 db-07 host is down', tag: 'i1', renotify: true, requireInteraction: true });
    expect(first).toMatchObject({ silent: false, actions: ['ack', 'open'] });
    expect(first.body).toContain('10.1.2.3');
    expect(await heard()).toMatchObject({ kind: 'shown', severity: 'P0', incident: 1, urgent: true });
    await expect.poll(() => receipts(page, server, 1)).toEqual(['shown Pixel']);
    const { items } = await ask(page, server, 'GET', 'me/devices');
    expect(items[0].shown_at).toBeGreaterThan(0);
  });

  await test.step('the same page again takes its place', async () => {
    const again = { ...message, notification: { ...message.notification, title: 'P0 db-07 still down' } };
    await deliver(again);
    await expect.poll(async () => (await shown(page)).map((it) => it.title)).toEqual(['P0 db-07 still down']);
  });

  await test.step('its button acknowledges, and says so without a sound', async () => {
    await touch(worker, 'ack');
    const [after] = await shown(page);
    expect(after).toMatchObject({ title: 'Acknowledged: P0 db-07 still down', tag: 'i1', silent: true, requireInteraction: false });
    expect(after.actions).toEqual(['open']);
    expect(await state(page, server, 1)).toBe('acked');
    await expect.poll(() => receipts(page, server, 1)).toEqual(['shown Pixel', 'opened Pixel']);
    // By what carried it, as far as that says who it was.
    const { incident } = await ask(page, server, 'GET', 'incidents/1');
    expect(incident.ack.by).toMatchObject({ kind: 'link', person: 'li', via: 'push' });
  });

  await test.step('every other screen is told who answered, and has nothing left to press', async () => {
    await expect.poll(() => service.messages().length).toBe(2);
    const withdrawn = service.messages()[1];
    expect(withdrawn.notification).toMatchObject({ tag: 'i1', silent: true, data: { over: true } });
    expect(withdrawn.notification.data.cap).toBeUndefined();
    const told = await listen(page);
    await deliver(message);
    await expect.poll(async () => (await shown(page))[0].actions).toEqual(['ack', 'open']);
    await deliver(withdrawn);
    await expect.poll(async () => (await shown(page)).map((it) => it.title)).toEqual([withdrawn.notification.title]);
    const [after] = await shown(page);
    expect(after.title).toMatch(/^Acknowledged by Li Wei .*: P0 db-07 host is down$/);
    expect(after).toMatchObject({ silent: true, renotify: false, requireInteraction: false, actions: ['open'] });
    expect(await told()).toMatchObject({ tag: 'i1' });
  });
});

test('an acknowledgement that fails is loud, and can be tried again', { tag: '@phone' }, async ({ page, server, service, worker, deliver, context }) => {
  await deliver(await pushed(page, server, service));
  await expect.poll(() => shown(page)).toHaveLength(1);
  const failing: [string, (route: Route) => Promise<void>][] = [
    ['no network', (route) => route.abort('internetdisconnected')],
    ['no server behind the proxy', (route) => route.fulfill({ status: 502, body: 'bad gateway' })],
    ['a link that has expired', (route) => route.fulfill({ status: 410, body: 'gone' })],
    ['a portal that answers instead', (route) => route.fulfill({ status: 200, body: 'sign in to this network' })],
    ['a proxy that wants a sign-in', (route) => route.fulfill({ status: 302, headers: { location: '/' } })],
  ];
  for (const [why, how] of failing) {
    await test.step(why, async () => {
      await context.route('**/a/*', how);
      await touch(worker, 'ack');
      const [after] = await shown(page);
      expect(after.title).toBe('Ack NOT recorded — tap to try again');
      expect(after).toMatchObject({ body: 'P0 db-07 host is down', tag: 'i1', silent: false, renotify: true, requireInteraction: true });
      expect(await state(page, server, 1)).toBe('triggered');
      await context.unroute('**/a/*');
    });
  }
  // Not the button: anywhere on it.
  await touch(worker, '');
  expect((await shown(page))[0]).toMatchObject({ title: 'Acknowledged: P0 db-07 host is down', silent: true });
  expect(await state(page, server, 1)).toBe('acked');
});

test('whatever is pushed shows something', { tag: '@phone' }, async ({ page, worker, deliver }) => {
  for (const data of ['not json', '[]', 'null', '{"notification":7}', '{"notification":{"title":""}}', '{"web_push":8030}']) {
    await deliver(data);
    await expect.poll(() => shown(page), data).toHaveLength(1);
    const [only] = await shown(page);
    expect(only.title, data).toContain('A page arrived that cannot be read');
    expect(only.tag, data).not.toBe('');
    await clear(page);
  }
  // Nothing at all, which the browser's tools do not deliver.
  const told = await listen(page);
  await worker.evaluate(() => self.dispatchEvent(new PushEvent('push')));
  await told();
  await expect.poll(async () => (await shown(page)).length).toBe(1);
  // What is odd in it costs its looks, not the notification.
  const odd = { notification: { title: 'x', tag: 5, body: { a: 1 }, lang: 'zh', navigate: 'https://evil.example/', data: { r: true, urgent: true } } };
  await deliver(odd);
  await expect.poll(async () => (await shown(page)).map((it) => it.title)).toContain('x');
});

test('what could not be said is said later, and a notification leads nowhere else', { tag: '@phone' }, async ({ page, server, service, worker, deliver, context }) => {
  const message = await pushed(page, server, service);
  await context.route('**/p/r', (route) => route.abort('internetdisconnected'));
  await deliver(message);
  await expect.poll(() => shown(page)).toHaveLength(1);
  const kept = () =>
    worker.evaluate(
      () =>
        new Promise<number>((resolve, reject) => {
          const opening = indexedDB.open('tocsin-receipts', 1);
          opening.onerror = () => reject(opening.error);
          opening.onsuccess = () => {
            const counting = opening.result.transaction('said').objectStore('said').count();
            counting.onsuccess = () => (opening.result.close(), resolve(counting.result));
          };
        }),
    );
  await expect.poll(kept).toBe(1);
  expect(await receipts(page, server, 1)).toEqual([]);
  await context.unroute('**/p/r');
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active!.postMessage('flush'));
  await expect.poll(kept).toBe(0);
  await expect.poll(() => receipts(page, server, 1)).toEqual(['shown Pixel']);

  await test.step('put away is seen', async () => {
    await touch(worker, '', 'notificationclose');
    await expect.poll(() => receipts(page, server, 1)).toEqual(['shown Pixel', 'dismissed Pixel']);
  });

  await test.step('only addresses of ours are opened', async () => {
    const opened = await worker.evaluate(() => {
      const scope = self as unknown as { target(page: object): string };
      return [
        scope.target({ navigate: 'https://evil.example/incidents/1', i: 7 }),
        scope.target({ navigate: 'javascript:alert(1)' }),
        scope.target({ navigate: `${location.origin}/incidents/3`, i: 3 }),
        scope.target({}),
      ];
    });
    expect(opened).toEqual(['/incidents/7', '/', `${server.url}/incidents/3`, '/']);
  });
});

test('a subscription that has ended is not pushed to again', { tag: '@phone' }, async ({ page, server, service }) => {
  await pushed(page, server, service);
  service.expire();
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'More' });
  await send(page, server, ingest, '[P0][PROBLEM][db-08][10.1.2.4][host is down]');
  const dead = async () => (await ask(page, server, 'GET', 'me/devices')).items[0];
  await expect.poll(async () => (await dead()).dead_at).not.toBeNull();
  expect((await dead()).why).toContain('410');
  expect(service.messages()).toHaveLength(1);
  await ask(page, server, 'DELETE', `me/devices/${(await dead()).id}`).catch(() => {});
  expect((await ask(page, server, 'GET', 'me/devices')).items).toEqual([]);
});
