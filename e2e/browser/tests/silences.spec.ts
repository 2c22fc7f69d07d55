// Something is kept quiet on purpose: set from an incident, seen on the board, extended, changed and ended, and what it
// hid is told afterwards. Against a server of its own.
import { expect, test, type Page } from '@playwright/test';
import { ask, organisation, send, setUp } from '../newcomer.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

const switches = `
[[inhibitions]]
id = "switch"
source = ["host=sw-01"]
target = ["host=leaf-01"]
`;

const backup = `
[[silences]]
id = "backup"
match = ["host=db-09"]
reason = "The backup makes it slow"
until = "2099-01-01 00:00"
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
  await ask(page, server, 'PUT', 'config', { toml: organisation() + switches });
});

test.afterEach(async () => {
  await server.stop();
  expect(wrong).toEqual([]);
});

const form = (page: Page) => page.getByTestId('silence-form');
const preview = (page: Page) => page.getByTestId('silence-preview');

test('an incident is kept quiet, extended, changed and ended', async ({ page }) => {
  test.slow();
  await send(page, server, ingest, '[P0][PROBLEM][db-07][10.1.2.3][disk is full]');
  await send(page, server, ingest, '[P2][PROBLEM][web-01][10.1.2.4][slow answers]');
  await expect(page.getByTestId('row-2')).toBeVisible();

  await test.step('set from the incident, by keyboard, with a look at what it matches', async () => {
    await page.goto(`${server.url}/incidents/1`);
    await expect(page.getByTestId('state')).toHaveText('Open');
    await page.keyboard.press('q');
    await expect(page.locator('#silence-match')).toBeFocused();
    await expect(page.locator('#silence-match')).toHaveValue('host=db-07\nsummary=disk is full');
    await expect(preview(page)).toContainText('Open now: 1');
    await expect(preview(page)).toContainText('It matches a P0');
    await examine(page, 'form');
    await form(page).getByRole('button', { name: 'integration=scripts' }).click();
    await expect(page.locator('#silence-match')).toHaveValue(/integration=scripts$/);
    await page.locator('#silence-match').fill('host~db');
    await expect(page.locator('#fault-match')).toContainText('is not a condition');
    await page.locator('#silence-match').fill('host=~"(db|web)-.*"');
    await expect(preview(page)).toContainText('Open now: 2');
    await expect(preview(page)).toContainText('everything that is open');
    await page.locator('#silence-match').fill('host=db-07');
    await expect(preview(page)).toContainText('Open now: 1');
    await form(page).getByRole('button', { name: '4 h' }).click();
    await expect(form(page)).toContainText('Quiet until');
    await page.locator('#silence-reason').fill('Waiting for a disk');
    await page.keyboard.press('Enter');
    await expect(form(page)).toHaveCount(0);
  });

  await test.step('said on the incident, with its reason', async () => {
    await expect(page.getByTestId('quiet')).toContainText(/Kept quiet by silence 1 until (\w{3} \d{1,2} \w{3} )?\d\d:\d\d — Waiting for a disk/);
    await examine(page, 'incident');
  });

  await test.step('quiet on the board, and never gone from it', async () => {
    await page.goto(server.url);
    await expect(page.getByTestId('row-1')).toContainText('Quiet');
    await page.getByRole('button', { name: 'Unacked' }).click();
    await expect(page.getByTestId('row-2')).toBeVisible();
    await expect(page.getByTestId('row-1')).toHaveCount(0);
    await page.getByRole('button', { name: 'Quiet 1' }).click();
    await expect(page.getByTestId('row-1')).toBeVisible();
    await expect(page.getByTestId('row-2')).toHaveCount(0);
    await page.goto(server.url);
    await expect(page.getByTestId('row-1')).toBeVisible();
    await examine(page, 'board');
  });

  await test.step('listed with what it hid, extended and changed', async () => {
    await page.goto(`${server.url}/silences`);
    const item = page.getByTestId('silences-0').getByTestId('silence-1');
    await expect(item).toContainText('host=db-07');
    await expect(item).toContainText('Waiting for a disk');
    await expect(item).toContainText(/3 h 5\d left/);
    await expect(item).toContainText('hid 1');
    await item.getByRole('button', { name: 'Extend 1 h' }).click();
    await expect(item).toContainText(/4 h 5\d left/);
    await item.getByRole('button', { name: 'Change' }).click();
    await form(page).getByRole('button', { name: 'Maintenance' }).click();
    await page.locator('#silence-reason').fill('The disk is being replaced');
    await page.getByTestId('silence-save').click();
    await expect(item).toContainText('Maintenance 1');
    await expect(item).toContainText('The disk is being replaced');
    await page.getByTestId('silence-filter').fill('web');
    await expect(item).toHaveCount(0);
    await expect(page.getByTestId('silences-0')).toContainText('None fits');
    await page.getByTestId('silence-filter').fill('maintenance disk');
    await expect(item).toBeVisible();
  });

  await test.step('ended after one question; it tells what it hid', async () => {
    const item = page.getByTestId('silence-1');
    await item.getByRole('button', { name: 'End now' }).click();
    await page.getByTestId('silence-end').click();
    await expect(page.getByTestId('silences-2').getByTestId('silence-1')).toContainText(/ended .* by li/);
    await page.getByTestId('silences-2').getByRole('link', { name: 'hid 1' }).click();
    await expect(page.getByTestId('hid')).toContainText('disk is full');
    await examine(page, 'one');
    await page.goto(`${server.url}/incidents/1`);
    await expect(page.getByTestId('timeline')).toBeVisible();
    await expect(page.getByTestId('quiet')).toHaveText('');
  });
});

test('silences to come, of every kind, and what is wrong with one', async ({ page }) => {
  const hour = 3_600_000;
  const now = Date.now();
  const base = { match: ['host=~"db-.*"'], reason: 'Nightly backup' };
  const window = { days: ['mon..fri'], from: '01:00', until: '01:30' };
  await ask(page, server, 'POST', 'silences', { ...base, kind: 'maintenance', starts_at: now + 2 * hour, ends_at: now + 5 * hour });
  await ask(page, server, 'POST', 'silences', { ...base, recurs: { time_zone: 'Asia/Shanghai', windows: [window] } });
  await ask(page, server, 'POST', 'silences', { ...base, until_recovered: true });
  await ask(page, server, 'POST', 'silences', { ...base, ends_at: now + 10 * 60_000 });
  await page.goto(`${server.url}/silences`);
  await expect(page.getByTestId('silences-1').getByTestId('silence-1')).toContainText(/begins at .* in 1 h 5\d/);
  await expect(page.getByTestId('silence-2')).toContainText('Mon–Fri 01:00–01:30 Asia/Shanghai');
  await expect(page.getByTestId('silences-0').getByTestId('silence-3')).toContainText('until recovered');
  await expect(page.getByTestId('silences-0').getByTestId('silence-4')).toContainText('ending soon');

  await test.step('one of the configuration, which is changed nowhere else', async () => {
    await ask(page, server, 'PUT', 'config', { toml: organisation() + switches + backup });
    await page.reload();
    const item = page.getByTestId('silences-0').getByTestId('silence-5');
    await expect(item).toContainText('from the configuration (backup)');
    await expect(item.getByRole('button')).toHaveCount(0);
    await expect(item.getByRole('link', { name: 'To the configuration' })).toHaveAttribute('href', '/settings?tab=config');
    await examine(page, 'list');
    await ask(page, server, 'PUT', 'config', { toml: organisation() + switches });
    await page.reload();
    await expect(page.getByTestId('silences-2').getByTestId('silence-5')).toContainText('of the configuration no longer has it');
  });

  await test.step('every field says what is wrong with it', async () => {
    await page.getByTestId('silence-new').click();
    await page.locator('#silence-match').fill('nonsense');
    await form(page).getByRole('button', { name: 'Other' }).click();
    await page.locator('#silence-until').fill('2020-01-01T00:00');
    await page.locator('#silence-reason').fill(' ');
    await page.getByTestId('silence-save').click();
    await expect(page.locator('#fault-match')).toContainText('is not a condition');
    await expect(page.locator('#fault-ends_at')).toContainText('over already');
    await expect(page.locator('#fault-reason')).toContainText('Say why');
    await examine(page, 'faults');
    // What was tried meanwhile takes nothing back.
    await expect(page.locator('#fault-reason')).toContainText('Say why');
  });

  await test.step('hours of the week, in a zone', async () => {
    await page.locator('#silence-match').fill('host=db-01');
    await form(page).getByRole('button', { name: 'Recurring' }).click();
    await expect(page.locator('#silence-zone')).toBeVisible();
    // What was changed is no longer called wrong, the rest still is.
    await expect(page.locator('#fault-ends_at')).toHaveText('');
    await expect(page.locator('#fault-reason')).toContainText('Say why');
    for (const day of ['Sat', 'Sun']) await form(page).getByRole('button', { name: day }).click();
    await page.locator('#silence-zone').selectOption('Europe/Berlin');
    await page.locator('#silence-reason').fill('Weekly reboot');
    await expect(page.locator('#fault-reason')).toHaveText('');
    await examine(page, 'recurring');
    await page.getByTestId('silence-save').click();
    await expect(page.getByTestId('silence-6')).toContainText('Mon Tue Wed Thu Fri 01:00–05:00 Europe/Berlin');
  });

  await test.step('in Chinese', async () => {
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
    await page.reload();
    await expect(page.getByTestId('silences-0').getByRole('heading', { level: 2 })).toContainText('生效中');
    await examine(page, 'zh');
    await page.getByTestId('silence-new').click();
    await examine(page, 'zh-form');
  });
});

test('a silence says when its owner is told, and a maintenance what happened in it and who was told', { tag: '@desktop' }, async ({ page }) => {
  const now = Date.now();
  const base = { match: ['host=db-07'], reason: 'Moving the disk', ends_at: now + 3_600_000 };
  await ask(page, server, 'POST', 'silences', { ...base, kind: 'maintenance' });
  await send(page, server, ingest, '[P2][PROBLEM][db-07][10.1.2.3][disk is full]');
  await send(page, server, ingest, '[P2][OK][db-07][10.1.2.3][disk is full]');
  await send(page, server, ingest, '[P2][PROBLEM][db-07][10.1.2.3][host is slow]');
  await page.goto(`${server.url}/silences/1`);
  const told = page.getByTestId('told');
  await expect(told).toContainText(/li is told at (\w{3} \d{1,2} \w{3} )?\d\d:\d\d if something still fires then/);
  await ask(page, server, 'POST', 'silences/1/end');
  await page.reload();
  await expect(told).toContainText('2 kept quiet, 1 recovered alone, 1 still firing');
  await expect(told.getByRole('listitem').last()).toContainText(/li \(phone\) · digest/);
  await examine(page, 'told');
  await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
  await page.reload();
  await expect(told).toContainText('屏蔽 2 个，自行恢复 1 个，仍在告警 1 个');
  await examine(page, 'told-zh');
});

test('what follows from something larger says so', async ({ page }) => {
  await send(page, server, ingest, '[P1][PROBLEM][sw-01][10.1.2.1][switch is down]');
  await expect(page.getByTestId('row-1')).toBeVisible();
  await send(page, server, ingest, '[P1][PROBLEM][leaf-01][10.1.2.9][unreachable]');
  await expect(page.getByTestId('row-2')).toContainText('Quiet');
  await page.goto(`${server.url}/incidents/2`);
  await expect(page.getByTestId('quiet')).toContainText('Kept quiet: it follows from #1 · inhibition switch');
  await page.getByTestId('quiet').getByRole('link').click();
  await expect(page).toHaveURL(/\/incidents\/1$/);
});
