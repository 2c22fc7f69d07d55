// A calendar that somebody else keeps: fetched by the server, and everything that is wrong with it is said where people look
// for who is on call.
import { createServer, type Server as Keeper } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { ask, organisation, setUp } from '../newcomer.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

let server: Server;
let keeper: Keeper;
let says: { status: number; body: string };

const stamp = (days: number): string => `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
const calendar = (...who: string[]): string =>
  [
    'BEGIN:VCALENDAR',
    ...who.flatMap((name, n) => ['BEGIN:VEVENT', `UID:${n}`, `SUMMARY:${name}`, `DTSTART:${stamp(-1)}`, `DTEND:${stamp(30)}`, 'END:VEVENT']),
    'END:VCALENDAR',
  ].join('\r\n');

test.beforeEach(async ({ page }) => {
  says = { status: 200, body: calendar('Li Wei', 'Zoe') };
  keeper = createServer((_, answer) => answer.writeHead(says.status).end(says.body));
  await new Promise<void>((ready) => keeper.listen(0, '127.0.0.1', ready));
  server = await start(program!);
  await setUp(page, server);
  await narrowPhone(page);
});

test.afterEach(async () => {
  await server.stop();
  keeper.close();
});

test('who is on call by it, what is wrong with it, and fetching it now', async ({ page }) => {
  const { port } = keeper.address() as AddressInfo;
  const schedule = `
[[schedules]]
id = "ops"
name = "Operations"
time_zone = "Europe/Berlin"
layers = [{ id = "theirs", ical_url = "http://127.0.0.1:${port}/5ecret/ops.ics" }]
`;
  await ask(page, server, 'PUT', 'config', { toml: organisation() + schedule });
  const imported = page.getByTestId('imported');
  await expect(async () => {
    await page.goto(`${server.url}/oncall`);
    await expect(imported).toContainText('2 events, checked', { timeout: 1_000 });
  }).toPass();
  await expect(imported).toContainText('theirs: a calendar at 127.0.0.1');
  await expect(imported).toContainText('“Zoe” in the event “Zoe” is nobody here');
  await expect(page.locator('.schedule')).toContainText('Li Wei');
  await examine(page, 'imported');

  // The copy of before stays in force, and the reason is said. Not twice in a moment: the server minds the keeper.
  says = { status: 500, body: 'out of order' };
  await expect(async () => {
    await imported.getByRole('button', { name: 'Fetch now' }).click();
    await expect(imported).toContainText('The last try failed: it answered 500', { timeout: 1_000 });
  }).toPass();
  await expect(page.locator('.schedule')).toContainText('Li Wei');
  await expect(page.locator('body')).not.toContainText('5ecret');

  await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
  await page.goto(`${server.url}/oncall/ops`);
  await expect(imported).toContainText('最近一次获取失败');
  await examine(page, 'imported-zh');
});
