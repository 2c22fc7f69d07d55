// How long a phone with a slow processor on a slow network shows nothing, when it has never been here before. Prints,
// and never fails for being slow. `cargo xtask bench page` plays this and starts the server.
import { devices, test, type Browser } from '@playwright/test';

const url = process.env.TOCSIN_PAGE_URL;
test.skip(!url, '`cargo xtask bench page` plays this');

const RUNS = 3;
// The phone of goals.md, row 17: a quarter of this processor, 1.6 Mbit/s down, and a way to the server of 150 ms.
const SLOWDOWN = 4;
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };

// What proves that something is there: painted by the server, by the application, and out of the store.
const MARKS = { paint: 'body > *', application: '.frame', content: '[data-testid^="row-"], [data-testid="timeline"] li' };
type Times = Record<keyof typeof MARKS | 'bytes', number>;

test('first content', async ({ browser }) => {
  test.setTimeout(600_000);
  const page = await browser.newPage();
  await page.goto(`${url}/signin`);
  await page.getByTestId('signin-login').fill(process.env.TOCSIN_LOGIN ?? '');
  await page.getByTestId('signin-password').fill(process.env.TOCSIN_PASSWORD ?? '');
  await page.getByTestId('signin-submit').click();
  await page.getByTestId('connection').waitFor();
  const cookies = await page.context().cookies();
  await page.context().close();
  for (const [name, path] of [['board', '/'], ['incident', '/incidents/1']]) {
    const runs: Times[] = [];
    for (let run = 0; run < RUNS; run += 1) runs.push(await visit(browser, cookies, path));
    const median = (key: keyof Times) => runs.map((times) => times[key]).sort((a, b) => a - b)[(RUNS - 1) / 2];
    const keys = Object.keys(runs[0]) as (keyof Times)[];
    console.log(`measured: ${name} ${JSON.stringify(Object.fromEntries(keys.map((key) => [key, Math.round(median(key))])))}`);
  }
});

/** Somebody who has never been here; milliseconds since they followed the link, and bytes of the application. */
async function visit(browser: Browser, cookies: { name: string; value: string; url?: string }[], path: string): Promise<Times> {
  const context = await browser.newContext({ ...devices['Pixel 7'], locale: 'en-GB' });
  await context.addCookies(cookies);
  const page = await context.newPage();
  const chromium = await context.newCDPSession(page);
  await chromium.send('Network.enable');
  await chromium.send('Network.emulateNetworkConditions', NETWORK);
  await chromium.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  await page.addInitScript((marks) => {
    const seen: Record<string, number> = {};
    Object.assign(window, { seen });
    const look = () => {
      for (const [name, form] of Object.entries(marks)) {
        if (!(name in seen) && document.querySelector(form)) seen[name] = performance.now();
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  }, MARKS);
  await page.goto(`${url}${path}`, { waitUntil: 'commit' });
  await page.waitForFunction(() => 'content' in (window as unknown as { seen: object }).seen, undefined, { timeout: 60_000 });
  const times = await page.evaluate(() => {
    const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const seen = (window as unknown as { seen: Times }).seen;
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const first = files.filter((file) => file.name.includes('/assets/') && file.startTime < seen.application);
    return { ...seen, paint: paint.startTime, bytes: first.reduce((sum, file) => sum + file.encodedBodySize, 0) };
  });
  await context.close();
  return times;
}
