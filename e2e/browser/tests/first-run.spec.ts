// A newcomer and an empty server: the steps say what is left to do, become true one by one before their eyes, and are
// gone once somebody was woken and answered.
import { createServer, type Server as HttpServer } from 'node:http';
import { expect, test, type Page } from '@playwright/test';
import { ask, organisation, PASSWORD, setUp } from '../newcomer.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

let server: Server;
let phone: HttpServer;
let pages = 0;

test.beforeEach(async () => {
  pages = 0;
  phone = createServer((_, answer) => {
    pages += 1;
    answer.end();
  });
  await new Promise<void>((done) => phone.listen(0, '127.0.0.1', done));
  server = await start(program!);
});

test.afterEach(async () => {
  await server.stop();
  await new Promise((done) => phone.close(done));
});

/** Where the newcomer's phone listens. */
function listening(): string {
  const address = phone.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`;
}

const steps = (page: Page) => page.getByTestId('first-run').locator('li');
const done = (page: Page) => page.getByTestId('first-run').locator('li.done');

/** Goes somewhere by the application's own links, as nothing may need a fresh load. */
async function board(page: Page): Promise<void> {
  await page.locator('a[href="/"]:visible').first().click();
}

test('the steps lead from an empty server to an answered page', async ({ page, context }) => {
  // One story, long because axe looks at every stage of it.
  test.slow();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await setUp(page, server);
  await narrowPhone(page);
  await expect(page.getByTestId('first-run')).toContainText('0 of 4 done');
  await expect(steps(page)).toHaveCount(4);
  await expect(steps(page).first()).toHaveAttribute('aria-current', 'step');
  await expect(page.getByText('No sender has been heard yet')).toHaveCount(0);
  await examine(page, 'nothing done');

  await test.step('wherever else a page is empty, too', async () => {
    for (const path of ['/oncall', '/policies', '/routes', '/messages']) {
      await page.goto(`${server.url}${path}`);
      await expect(steps(page), path).toHaveCount(4);
    }
    await examine(page, 'an empty list');
  });

  await page.goto(server.url);
  const watcher = await context.newPage();
  await narrowPhone(watcher);
  await watcher.goto(server.url);
  await expect(steps(watcher)).toHaveCount(4);

  await test.step('1: a sender, by keyboard alone', async () => {
    const link = page.getByRole('link', { name: 'Make a sender' });
    await link.focus();
    await page.keyboard.press('Enter');
    await page.locator('#integration-name').fill('Backup scripts');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('token')).toBeVisible();
    await expect(watcher.getByTestId('first-run')).toContainText('Backup scripts is made, but nothing has arrived');
    await expect(done(watcher)).toHaveCount(0);
  });

  const curl = (await page.locator('.snippet').textContent())!;
  const [, ingest] = curl.match(/curl -sS '(\S+)'/)!;
  const [down, up] = [...curl.matchAll(/--data-binary '([^']+)'/g)].map(([, body]) => body);
  expect(down).toMatch(/^\[P0\]\[PROBLEM\]/);

  await test.step('2 and 3: the example is right as it stands', async () => {
    await page.goto(`${server.url}/settings?tab=config`);
    await page.getByTestId('example').click();
    await expect(page.locator('#configuration')).toBeFocused();
    await expect(page.locator('#configuration')).toHaveValue(/name = "Li Wei"/);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await expect(page.getByText('Checked: nothing was changed')).toBeVisible();
    await examine(page, 'the example');
  });

  await test.step('2 and 3: applied, and true at once for whoever looks', async () => {
    await page.locator('#configuration').fill(organisation(listening()));
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await expect(page.getByText('is in force')).toBeVisible();
    await expect(watcher.getByTestId('first-run')).toContainText('Li Wei can be reached.');
    await expect(done(watcher)).toHaveCount(2);
    await expect(steps(watcher).first()).toHaveAttribute('aria-current', 'step');
    await expect(watcher.getByRole('link', { name: 'Link your account to a person' })).toBeVisible();
    await examine(watcher, 'half done');
    await watcher.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
    await watcher.reload();
    await expect(watcher.getByTestId('first-run')).toContainText('已完成 2 / 4');
    await examine(watcher, '中文');
    await watcher.evaluate(() => localStorage.setItem('tocsin.language', 'en'));
    await watcher.reload();
  });

  await test.step('4: paged, not answered yet, and said so', async () => {
    expect((await context.request.post(ingest, { data: down })).ok()).toBe(true);
    await expect.poll(() => pages).toBe(1);
    await expect(watcher.getByTestId('row-1')).toBeVisible();
    expect((await context.request.post(ingest, { data: up })).ok()).toBe(true);
    await expect(done(watcher)).toHaveCount(3);
    await expect(watcher.getByTestId('first-run')).toContainText('#1 paged somebody, and nobody acknowledged');
  });

  await test.step('4: answered, and the steps are gone', async () => {
    expect((await context.request.post(ingest, { data: down })).ok()).toBe(true);
    await expect.poll(() => pages).toBe(2);
    await page.goto(`${server.url}/incidents/2`);
    // A phone has it at its foot.
    await page.getByRole('button', { name: /^Ack\b/ }).first().click();
    await expect(page.getByTestId('state')).toHaveText('Acked');
    // The page says so at once; whoever recovers before the server knows was never answered.
    await expect.poll(async () => (await ask(page, server, 'GET', 'incidents/2')).incident.state).toBe('acked');
    expect((await context.request.post(ingest, { data: up })).ok()).toBe(true);
    await expect(page.getByTestId('state')).toHaveText('Resolved');
    await expect(watcher.locator('.calm')).toContainText('Nothing is firing');
    await expect(watcher.getByTestId('first-run')).toHaveCount(0);
    await board(page);
    await expect(page.locator('.calm')).toContainText('Backup scripts');
    await examine(page, 'all done');
  });
  expect(wrong).toEqual([]);
});

test('who cannot act is told who can', { tag: '@desktop' }, async ({ page, browser }) => {
  await setUp(page, server);
  const account = { login: 'wang', name: 'Wang', role: 'viewer', person: null, password: PASSWORD };
  await ask(page, server, 'POST', 'accounts', account);
  const theirs = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  await narrowPhone(theirs);
  await theirs.goto(`${server.url}/signin`);
  await theirs.getByTestId('signin-login').fill('wang');
  await theirs.getByTestId('signin-password').fill(PASSWORD);
  await theirs.getByTestId('signin-submit').click();
  await expect(steps(theirs)).toHaveCount(4);
  await expect(theirs.getByTestId('first-run').getByText('An administrator does this.', { exact: true })).toHaveCount(3);
  await expect(theirs.getByTestId('first-run').getByText('A responder or an administrator does this.')).toHaveCount(1);
  await expect(theirs.getByTestId('first-run').getByRole('link')).toHaveCount(0);
  await examine(theirs, 'a viewer');
  await theirs.context().close();
});
