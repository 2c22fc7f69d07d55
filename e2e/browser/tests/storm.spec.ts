// Many incidents at once: the board says that pages are collected, and the status page gives an account afterwards.
// Against a server of its own.
import { expect } from '@playwright/test';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const storm = `
[storm]
incidents = 5
within = "1m"
calm = "20s"
`;

test('a storm is shown while it lasts, and accounted for afterwards', async ({ page, server }) => {
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
  await ask(page, server, 'PUT', 'config', { toml: organisation() + storm });
  await page.goto(`${server.url}/status`);
  await expect(page.getByTestId('storms')).toContainText('There has been no storm');
  await page.goto(server.url);
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await expect(page.getByTestId('storm')).toHaveCount(0);
  for (const n of [1, 2, 3, 4, 5, 6]) {
    await send(page, server, ingest, `[P2][PROBLEM][web-${n}][10.0.7.${n}][disk is full]`);
  }
  const banner = page.getByTestId('storm');
  await expect(banner).toContainText('pages about all but P0 are collected');
  await expect(banner).toContainText('6 incidents');
  await examine(page, 'storm');
  await test.step('once read it is gone, also after a reload', async () => {
    await banner.getByRole('button', { name: 'Close' }).click();
    await expect(banner).toHaveCount(0);
    await page.reload();
    await expect(page.getByTestId('connection')).toHaveText('Live');
    await expect(banner).toHaveCount(0);
    // Another browser has not read it.
    await page.evaluate(() => localStorage.removeItem('tocsin.storm'));
    await page.reload();
    await expect(banner).toContainText('6 incidents');
  });
  await test.step('what was read of an earlier storm hides none', async () => {
    await page.evaluate(() => localStorage.setItem('tocsin.storm', '1'));
    await page.reload();
    await expect(banner).toBeVisible();
  });
  // It ends by itself, and the banner goes without a reload.
  await expect(banner).toHaveCount(0, { timeout: 60_000 });

  await page.goto(`${server.url}/status`);
  const report = page.getByTestId('storms');
  await expect(report).toContainText('lasted');
  await expect(report).toContainText('6, of which 0 P0');
  await expect(report).toContainText(/Dropped\s*0/);
  await examine(page, 'storm-report');
  const { items } = await ask(page, server, 'GET', 'storms');
  expect(items).toHaveLength(1);
  expect(items[0].dropped).toBe(0);
});
