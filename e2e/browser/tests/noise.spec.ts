// One trouble is one incident: alerts that join, alerts that wait, alerts that flap, and what people merge and detach.
// Against a server of its own.
import { expect, test, type Page } from '@playwright/test';
import { ask, organisation, send, setUp } from '../newcomer.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

/** Before the route that takes everything. */
const routes = `
[[routes]]
id = "rack"
match = ["host=~rack-.*"]
policy = "everything"
group = { by = [] }

[[routes]]
id = "calm"
match = ["host=~calm-.*"]
policy = "everything"
hold = "10m"

[[routes]]
`;

let server: Server;
let ingest: string;
const wrong: string[] = [];

test.beforeEach(async ({ page }) => {
  wrong.length = 0;
  page.on('pageerror', (error) => wrong.push(String(error)));
  server = await start(program!);
  await setUp(page, server);
  await narrowPhone(page);
  ({ url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' }));
  const toml = organisation().replace('[[routes]]', routes.trim()) + '\n[flapping]\ntimes = 2\n';
  await ask(page, server, 'PUT', 'config', { toml });
});

test.afterEach(async () => {
  await server.stop();
  expect(wrong).toEqual([]);
});

test('alerts of a group are one incident, and one of them is detached', async ({ page }) => {
  for (const n of [1, 2, 3]) {
    await send(page, server, ingest, `[P1][PROBLEM][rack-${n}][10.0.4.${n}][power is lost]`);
  }
  const row = page.getByTestId('row-1');
  await expect(row).toContainText('3 of 3 alerts fire');
  await examine(page, 'board');
  await page.goto(`${server.url}/incidents/1`);
  await expect(page.getByTestId('timeline')).toContainText('An alert joined');
  await page.getByTestId('detach-2').click();
  const dialog = page.locator('dialog[open]');
  await expect(dialog).toContainText('rack-2 power is lost');
  await expect(dialog).toContainText('pages by its own routes');
  await examine(page, 'detach');
  await dialog.getByRole('button', { name: 'Detach' }).click();
  await expect(page.getByTestId('timeline')).toContainText('An alert was detached by hand: it is #2 now');
  await expect(page.getByText('2 of 2 alerts fire')).toBeVisible();
  await page.goto(`${server.url}/incidents/2`);
  await expect(page.getByTestId('timeline')).toContainText('Detached from #1 by hand');
  await expect(page.getByTestId('state')).toHaveText('Open');
});

test('incidents are merged from their page and from the board', async ({ page, isMobile }) => {
  await send(page, server, ingest, '[P1][PROBLEM][db-1][10.0.5.1][disk is full]');
  await send(page, server, ingest, '[P2][PROBLEM][db-2][10.0.5.2][latency is high]');
  await send(page, server, ingest, '[P2][PROBLEM][db-3][10.0.5.3][latency is high]');
  await page.goto(`${server.url}/incidents/2`);
  await expect(page.getByTestId('state')).toHaveText('Open');
  await page.getByTestId('merge').click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByRole('searchbox').fill('nothing like it');
  await expect(dialog).toContainText('No other open incident fits');
  await dialog.getByRole('searchbox').fill('disk');
  await examine(page, 'merge');
  await dialog.getByRole('button', { name: /disk is full/ }).click();
  await expect(page.getByTestId('state')).toHaveText('Resolved');
  await expect(page.getByTestId('timeline')).toContainText('Merged into #1 by hand');

  await page.goto(server.url);
  await expect(page.getByTestId('row-1')).toContainText('2 of 2 alerts fire');
  if (isMobile) {
    return;
  }
  await page.getByLabel('Select incident 1').check();
  await expect(page.getByRole('button', { name: 'Merge', exact: true })).toHaveCount(0);
  await page.getByLabel('Select incident 3').check();
  await page.getByRole('button', { name: 'Merge', exact: true }).click();
  await dialog.getByRole('button', { name: /#1/ }).click();
  await expect(page.getByTestId('row-1')).toContainText('3 of 3 alerts fire');
  await expect(page.getByTestId('row-3')).toHaveCount(0);
});

test('what was over before anybody answered is a list of its own', async ({ page }) => {
  await page.goto(`${server.url}/?view=missed`);
  await expect(page.getByText('nothing was over before somebody had answered')).toBeVisible();
  await send(page, server, ingest, '[P1][PROBLEM][db-1][10.0.5.1][disk is full]');
  await send(page, server, ingest, '[P1][OK][db-1][10.0.5.1][disk is full]');
  await page.reload();
  await expect(page.getByTestId('row-1')).toContainText('Resolved');
  await examine(page, 'missed');
});

test('what waits and what flaps says so', async ({ page }) => {
  await send(page, server, ingest, '[P1][PROBLEM][calm-1][10.0.6.1][slow]');
  await page.goto(`${server.url}/incidents/1`);
  await expect(page.getByTestId('quiet')).toContainText('nobody is paged for what recovers before');
  await examine(page, 'held');
  await send(page, server, ingest, '[P1][OK][calm-1][10.0.6.1][slow]');
  await expect(page.getByTestId('timeline')).toContainText('before anybody was to be paged');
  const why = await ask(page, server, 'GET', 'incidents/1/why');
  expect(why.not_paged[0].reason).toContain('still waited when it recovered');

  for (const status of ['PROBLEM', 'OK', 'PROBLEM', 'OK']) {
    await send(page, server, ingest, `[P1][${status}][flap-1][10.0.6.2][link is down]`);
  }
  await page.goto(`${server.url}/incidents/3`);
  await expect(page.getByTestId('quiet')).toContainText('Flapping: kept open until');
  await expect(page.getByTestId('timeline')).toContainText('it fired 2 times in 15 min');
  await examine(page, 'flapping');
  await page.goto(server.url);
  await expect(page.getByTestId('row-3')).toContainText('flapping');
  await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh'));
  await page.reload();
  await expect(page.getByTestId('row-3')).toContainText('抖动');
  await examine(page, 'board-flapping');
});
