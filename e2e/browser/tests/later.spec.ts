// The pages that are fetched after the first one: they are there before they are asked for, also without the server;
// and one that did not arrive says so and is asked for again.
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { examine, narrowPhone } from '../whole.ts';

const url = process.env.TOCSIN_URL;
test.skip(!url, 'TOCSIN_URL names no server');

const MODULE = '**/assets/split_*.wasm';
type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>;
let cookies: Cookies;

// Once for all: the server slows down whoever signs in again and again.
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage();
  await page.goto(`${url}/signin`);
  await page.getByTestId('signin-login').fill(process.env.TOCSIN_LOGIN ?? '');
  await page.getByTestId('signin-password').fill(process.env.TOCSIN_PASSWORD ?? '');
  await page.getByTestId('signin-submit').click();
  await expect(page.getByTestId('connection')).toBeVisible();
  cookies = await page.context().cookies();
  await page.close();
});

test.beforeEach(async ({ page, context }) => {
  await context.addCookies(cookies);
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'en'));
});

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });

test('a page that was never opened opens without the server, in this tab and in a fresh one', { tag: '@phone' }, async ({ page, context }) => {
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(url!);
  await expect(page.getByTestId('connection')).toHaveText('Live');
  // A fresh tab shows the last board, which is kept now and then.
  await page.waitForFunction(() => localStorage.getItem('tocsin.board') !== null);
  // The files are all kept when the service worker is ready.
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await context.setOffline(true);

  await page.evaluate(() => Object.assign(window, { neverLoadedAgain: true }));
  await page.locator('a[href="/oncall"]:visible').first().click();
  await expect(heading(page, 'On-call')).toBeVisible();
  expect(await page.evaluate(() => 'neverLoadedAgain' in window), 'the page was loaded again').toBe(true);

  for (const [path, name] of [['/silences', 'Silences'], ['/settings', 'Settings'], ['/', 'Board']]) {
    await page.goto(`${url}${path}`);
    await expect(heading(page, name), path).toBeAttached();
  }
  await expect(page.getByTestId('part-missing')).toHaveCount(0);
  expect(wrong).toEqual([]);
});

test.describe('when its module does not arrive', () => {
  // The worker would ask in the page's stead, where a test cannot stand in between.
  test.use({ serviceWorkers: 'block' });

  test('a page says so, and is there after another try', { tag: '@desktop' }, async ({ page }) => {
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    await page.route(MODULE, (route) => route.abort());
    await page.goto(`${url}/silences`);
    const notice = page.getByTestId('part-missing');
    await expect(notice).toBeVisible();
    await expect(heading(page, 'This page did not arrive')).toBeVisible();
    await narrowPhone(page);
    await examine(page, 'a page that did not arrive');
    // The board needs nothing of it.
    await page.locator('a[href="/"]:visible').first().click();
    await expect(page.getByTestId('board')).toBeVisible();
    await page.goBack();
    await expect(notice).toBeVisible();

    await notice.getByRole('button', { name: 'Try again' }).click();
    await expect(notice).toBeVisible();
    await page.unroute(MODULE);
    await notice.getByRole('button', { name: 'Try again' }).click();
    await expect(heading(page, 'Silences')).toBeVisible();
    await expect(notice).toHaveCount(0);
    expect(wrong).toEqual([]);
  });

  test('a form that comes after its dialog was opened has the focus', { tag: '@desktop' }, async ({ page, context }) => {
    const { items } = await (await context.request.get(`${url}/api/v1/incidents`)).json();
    test.skip(items.length === 0, 'nothing is open');
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    await page.route(MODULE, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`${url}/incidents/${items[0].id}`);
    await expect(page.getByTestId('state')).not.toBeEmpty();
    await page.keyboard.press('q');
    await expect(page.locator('dialog[open] .skeleton')).toBeVisible();
    letGo();
    await expect(page.locator('#silence-match')).toBeFocused();
  });

  test('because a newer server no longer has it, a reload helps', { tag: '@desktop' }, async ({ page }) => {
    await page.route(MODULE, (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{}' }));
    await page.goto(url!);
    await expect(page.getByTestId('connection')).toHaveText('Live');
    await page.locator('a[href="/oncall"]:visible').first().click();
    const notice = page.getByTestId('part-missing');
    await expect(notice).toContainText('After an update only a reload helps.');
    await page.unroute(MODULE);
    await notice.getByRole('button', { name: 'Reload' }).click();
    await expect(heading(page, 'On-call')).toBeVisible();
  });
});
