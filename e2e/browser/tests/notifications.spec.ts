// My notifications: a browser is registered after a press, renews itself, is tested to the end and removed; what is wrong
// is said in words. The browser's subscription is one of web-push-testing, and its pushes come by Chromium's own tools.
import { expect, test as base, type Page } from '@playwright/test';
import { ask, join } from '../newcomer.ts';
import { pushService, type PushService } from '../push-service.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;

type Service = PushService<object>;

const test = base.extend<{ server: Server; service: Service }>({
  server: async ({ page }, use) => {
    base.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');
    const server = await start(program!);
    await join(page, server, ORGANISATION);
    await narrowPhone(page);
    await page.addInitScript(() => localStorage.getItem('tocsin.language') ?? localStorage.setItem('tocsin.language', 'en'));
    await use(server);
    await server.stop();
  },
  // What the browser's maker would run: subscribing gives an address of this service.
  service: async ({ page, context, server }, use) => {
    const service = await pushService<object>(page, server);
    const { endpoint, keys } = service;
    await context.grantPermissions(['notifications'], { origin: server.url });
    await page.addInitScript(
      (given) => {
        const here = {
          toJSON: () => given,
          unsubscribe: async () => (localStorage.removeItem('stub.subscribed'), true),
        } as unknown as PushSubscription;
        PushManager.prototype.subscribe = async () => (localStorage.setItem('stub.subscribed', '1'), here);
        PushManager.prototype.getSubscription = async () => (localStorage.getItem('stub.subscribed') ? here : null);
      },
      { endpoint, keys },
    );
    await use(service);
    await service.stop();
  },
});

const ORGANISATION = `
fallback = ["person:wang"]
channels.push = { contact = "mailto:oncall@example.org", hosts = ["localhost"] }
channels.webhook = { allow_networks = ["127.0.0.0/8"], allow_http = true }
channels.twilio = { account = "AC1", token = "t", from = "+15551230000" }

[[people]]
id = "li"
name = "Li Wei"
time_zone = "UTC"

# A configuration in which nobody is reached is refused.
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }]

[[policies]]
id = "everything"
levels = [{ notify = ["person:li", "person:wang"], delay = "5m" }]

[[routes]]
id = "everything"
policy = "everything"
`;

const RULES = {
  id: 'li',
  name: 'Li Wei',
  time_zone: 'UTC',
  contacts: [
    { id: 'push', push: 'all' },
    { id: 'call', voice: '+4915112345678' },
  ],
  rules: [
    { severity: ['P0', 'P1'], notify: [{ contact: 'push', after: '0s' }, { contact: 'call', after: '2m' }] },
    { notify: [{ contact: 'push', after: '0s' }] },
  ],
};

const devices = async (page: Page, server: Server) => (await ask(page, server, 'GET', 'me/devices')).items;

async function registered(page: Page, server: Server): Promise<void> {
  await page.goto(`${server.url}/me`);
  await page.getByRole('button', { name: 'Register this browser' }).click();
  await expect(page.locator('.device')).toHaveCount(1);
}

/** Gives the browser what its push service was given. */
async function deliver(page: Page, server: Server, message: object): Promise<void> {
  const tools = await page.context().newCDPSession(page);
  let registrationId = '';
  tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find((it) => !it.isDeleted)?.registrationId ?? registrationId;
  });
  await tools.send('ServiceWorker.enable');
  await expect.poll(() => registrationId).not.toBe('');
  await tools.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data: JSON.stringify(message) });
  await tools.detach();
}

test('a browser is registered, tested to the end, renewed and removed', async ({ page, server, service }) => {
  await page.goto(`${server.url}/me`);
  await expect(page.getByTestId('reach')).toContainText('You cannot be reached');
  await expect(page.getByText('No device yet')).toBeVisible();
  await examine(page, 'notifications empty');

  await test.step('registered by a press, and used by one more', async () => {
    await page.getByRole('button', { name: 'Register this browser' }).click();
    const device = page.locator('.device');
    await expect(device.locator('.device-name')).toHaveValue(/^Chrome on /);
    await expect(device).toContainText('this browser');
    await expect(page.getByRole('button', { name: 'Register this browser' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Push every page at once' }).click();
    await expect(page.getByTestId('reach')).toHaveCount(0);
    await expect(page.getByText('Every browser and phone you registered')).toBeVisible();
  });

  await test.step('a test is followed to the tap', async () => {
    await page.getByRole('button', { name: /^Send a test as P0 to Chrome/ }).click();
    await expect.poll(() => service.messages().length).toBe(1);
    const [message] = service.messages() as { notification: { title: string; data: { cap: string; v: number } } }[];
    expect(message.notification.title).toContain('[TEST] P0');
    await deliver(page, server, message);
    const hops = page.getByTestId('hops');
    await expect(hops).toContainText(/queued \d\d:\d\d:\d\d\.\d/);
    await expect(hops).toContainText('taken by localhost');
    await expect(hops).toContainText(/shown on Chrome on .*\+\d+\.\d s/);
    await expect(page.getByText('Did it ring aloud?')).toBeVisible();
    const { cap, v } = message.notification.data;
    const told = await page.context().request.post(`${server.url}/p/r`, { data: { cap, kind: 'opened', device: v } });
    expect(told.status()).toBe(204);
    await expect(hops).toContainText('you tapped');
    await examine(page, 'notifications tested');
    await page.getByRole('button', { name: 'Yes', exact: true }).click();
    const ladder = page.locator('.ladder');
    await expect(ladder).toContainText(/rang .* ago, you said/);
    await expect(ladder).toContainText(/shown .* ago, after \d/);
    await expect(page.getByText('Did it ring aloud?')).toHaveCount(0);
  });

  await test.step('no incident came of it', async () => {
    expect((await ask(page, server, 'GET', 'incidents')).items).toEqual([]);
  });

  await test.step('the lock screen shows nothing of what is wrong', async () => {
    await page.getByRole('checkbox', { name: /Hide what pages say/ }).check();
    await expect.poll(async () => (await devices(page, server))[0].private).toBe(true);
    await page.getByRole('button', { name: /^Send a test to Chrome/ }).click();
    await expect.poll(() => service.messages().length).toBe(2);
    expect(JSON.stringify(service.messages()[1])).toContain('this device hides what pages say');
  });

  await test.step('a start of the application renews it quietly', async () => {
    const before = (await devices(page, server))[0].seen_at;
    await page.reload();
    await expect.poll(async () => (await devices(page, server))[0].seen_at).toBeGreaterThan(before);
    await expect(page.locator('.device')).toContainText('this browser');
    expect(await devices(page, server)).toHaveLength(1);
  });

  await test.step('removed on another device it does not come back', async () => {
    await ask(page, server, 'DELETE', `me/devices/${(await devices(page, server))[0].id}`).catch(() => {});
    await page.reload();
    await expect.poll(() => page.evaluate(() => localStorage.getItem('tocsin.push'))).toBeNull();
    await expect.poll(() => page.evaluate(() => localStorage.getItem('stub.subscribed'))).toBeNull();
    expect(await devices(page, server)).toEqual([]);
    await expect(page.getByTestId('reach')).toContainText('no device is registered');
  });

  await test.step('removed here it is unsubscribed', async () => {
    await page.getByRole('button', { name: 'Register this browser' }).click();
    await page.getByRole('button', { name: /^Remove Chrome/ }).click();
    await expect(page.getByText('No device yet')).toBeVisible();
    expect(await page.evaluate(() => localStorage.getItem('stub.subscribed'))).toBeNull();
  });
});

test('signing out ends what is pushed to this browser, and says so before', async ({ page, server, service, isMobile }) => {
  void service;
  await registered(page, server);
  await (isMobile ? page.goto(`${server.url}/more`) : page.getByRole('button', { name: 'Account' }).click());
  const place = page.locator(isMobile ? '.page' : '#account');
  await expect(place.getByText('Signing out ends pushes to this browser.')).toBeVisible();
  const removed = page.waitForResponse((it) => it.request().method() === 'DELETE' && it.url().includes('/api/v1/me/devices/'));
  const ended = page.waitForResponse((it) => it.request().method() === 'DELETE' && it.url().endsWith('/api/v1/session'));
  await place.getByRole('button', { name: 'Sign out' }).click();
  expect((await removed).status()).toBe(204);
  expect((await ended).status()).toBe(204);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  expect(await page.evaluate(() => localStorage.getItem('tocsin.push'))).toBeNull();
});

test('what is doubtful is named at the device and in the rules', async ({ page, server, service }) => {
  await ask(page, server, 'PUT', 'me/person', RULES);
  await registered(page, server);
  service.expire();
  await page.getByRole('button', { name: /^Send a test to Chrome/ }).click();
  await expect(page.getByTestId('hops')).toContainText('refused: ');
  await expect(page.locator('.ladder .rung.bad')).toContainText('gone: open Tocsin on it');
  await expect(page.locator('.rule-doubts').first()).toContainText('is doubtful: gone');
  await expect(page.locator('.rule-strip').first()).toHaveAttribute('aria-label', /first ten minutes/);
  await expect(page.getByRole('link', { name: 'Save the contact' })).toBeVisible();
  await examine(page, 'notifications doubtful');
  await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('我的通知');
  await expect(page.locator('.ladder')).toBeVisible();
  await examine(page, 'notifications Chinese');
});

test('why a browser cannot be registered is said in words', { tag: '@desktop' }, async ({ page, server, context }) => {
  await context.clearPermissions();
  const hindered = page.getByTestId('hindered');
  await page.addInitScript(() => {
    const mode = sessionStorage.getItem('stub.mode');
    if (mode === 'denied') Object.defineProperty(Notification, 'permission', { get: () => 'denied' });
    if (mode === 'none') delete (window as { PushManager?: unknown }).PushManager;
    if (mode === 'refuses') {
      Object.defineProperty(Notification, 'permission', { get: () => 'granted' });
      Notification.requestPermission = async () => 'granted';
      PushManager.prototype.subscribe = async () => Promise.reject(new DOMException('no', 'AbortError'));
    }
    if (mode === 'iphone') {
      delete (window as { PushManager?: unknown }).PushManager;
      Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1' });
    }
  });
  const as = async (mode: string) => {
    await page.goto(`${server.url}/me`);
    await page.evaluate((mode) => sessionStorage.setItem('stub.mode', mode), mode);
    await page.reload();
  };
  await as('denied');
  await expect(hindered).toContainText('was told not to show notifications');
  await as('none');
  await expect(hindered).toContainText('private window');
  await as('iphone');
  await expect(hindered).toContainText('Add to Home Screen');
  await expect(page.getByText('Emergency Bypass')).toBeVisible();
  await as('refuses');
  await page.getByRole('button', { name: 'Register this browser' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'The browser refused' })).toBeVisible();
});

test('an open tab rings for what is urgent, until somebody touches it, and never when it is muted', { tag: '@desktop' }, async ({ page, server }) => {
  await page.addInitScript(() => {
    const played = { count: 0 };
    Object.assign(window, { played });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when?: number) {
      played.count += 1;
      return start.call(this, when);
    };
  });
  const played = () => page.evaluate(() => (window as unknown as { played: { count: number } }).played.count);
  const push = (urgent: boolean) =>
    page.evaluate(
      (urgent) => new BroadcastChannel('tocsin-push').postMessage({ kind: 'shown', title: 'P0 db-07 down', urgent, incident: 1 }),
      urgent,
    );
  await page.goto(`${server.url}/me`);
  await expect(page.getByTestId('connection')).toHaveText('Live');
  const box = page.getByRole('checkbox', { name: /Ring in open tabs/ });
  // A press is what lets a page make sounds, once it listens; that begins some time after the page is shown.
  await expect.poll(async () => (await page.locator('h1').click(), await push(true), played())).toBeGreaterThan(0);
  await expect(page.getByText('Ringing: P0 db-07 down')).toBeAttached();
  await box.uncheck();
  const before = await played();
  await page.evaluate(() => localStorage.removeItem('tocsin.rang'));
  await push(true);
  await box.check();
  await page.evaluate(() => localStorage.removeItem('tocsin.rang'));
  await push(false);
  // What is sent after it is heard after it, by whoever listens later.
  await page.evaluate(() => {
    const last = new BroadcastChannel('tocsin-push');
    return new Promise((done) => {
      last.onmessage = done;
      new BroadcastChannel('tocsin-push').postMessage({ kind: 'nothing' });
    });
  });
  expect(await played()).toBe(before);
});

test('without the server the page says so and keeps what it has', async ({ page, server, service }) => {
  void service;
  await registered(page, server);
  await page.route('**/api/v1/me/devices*', (route) => route.fulfill({ status: 500, json: { status: 500, code: 'x', title: 'Broken' } }));
  await page.reload();
  const failure = page.getByRole('alert').filter({ hasText: 'Devices' });
  await expect(failure).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Rules' })).toBeVisible();
  await page.unroute('**/api/v1/me/devices*');
  await failure.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.device')).toHaveCount(1);
  await page.route('**/api/v1/me/test-pages', (route) => route.abort('internetdisconnected'));
  await page.getByRole('button', { name: /^Send a test to Chrome/ }).click();
  await expect(page.getByText('The test could not be sent')).toBeVisible();
});
