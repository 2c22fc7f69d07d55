// A heartbeat is made in the browser, heard at its address, fails and recovers; a stale alert and a silent sender say so.
// Against a server of its own, on desktop and phone.
import { expect, type Page } from '@playwright/test';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const item = (page: Page) => page.getByTestId('heartbeat-nightly-backup');

test('a heartbeat is made, heard, fails and recovers', async ({ page, server, request }) => {
  test.slow();
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  await page.goto(`${server.url}/heartbeats`);
  await expect(page.getByText('Nothing is waited for yet.')).toBeVisible();
  await examine(page, 'empty');

  await test.step('made by keyboard; what is no length of time is said', async () => {
    await page.locator('#heartbeat-name').fill('Nightly backup');
    await page.locator('#heartbeat-interval').fill('often');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert').filter({ hasText: 'not a length of time' })).toBeVisible();
    await page.locator('#heartbeat-interval').fill('1d');
    await page.locator('#heartbeat-severity').selectOption('P1');
    await page.getByTestId('new-heartbeat').click();
    await expect(page.locator('#address-title')).toBeFocused();
    await expect(page.locator('#address-title')).toHaveText('Nightly backup is ready');
    await expect(item(page)).toContainText('waiting for the first beat');
    await page.getByRole('button', { name: 'PowerShell' }).click();
    await expect(page.locator('.snippet')).toContainText('Invoke-RestMethod');
    await examine(page, 'made');
  });

  const address = (await page.getByTestId('address').textContent())!;
  await test.step('the first beat is seen at once', async () => {
    await expect(page.getByTestId('beat-listener')).toContainText('Waiting for the first beat');
    expect((await request.post(address, { data: '812 files' })).status()).toBe(200);
    await expect(page.getByTestId('beat-listener')).toContainText('A beat arrived');
    await expect(item(page)).toContainText('812 files');
    await expect(item(page)).toContainText('the next beat is expected within 23 h');
    await expect(item(page).getByRole('img')).toHaveAccessibleName('Newest marks: 1 beats, 0 missed, 0 failures');
  });

  await test.step('a failure is down, with its incident, and the next beat is up', async () => {
    expect((await request.post(`${address}/fail`, { data: 'disk is full' })).status()).toBe(200);
    await expect(item(page)).toContainText('it reported a failure');
    await examine(page, 'down');
    await item(page).getByRole('link', { name: '#1' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nightly backup reports a failure');
    await expect(page.getByText('nightly-backup says itself that it failed')).toBeVisible();
    expect((await request.get(address)).status()).toBe(200);
    await expect(page.getByTestId('state')).toHaveText('Resolved');
    await page.goto(`${server.url}/heartbeats`);
    await expect(item(page).getByRole('img')).toHaveAccessibleName('Newest marks: 2 beats, 0 missed, 1 failures');
    await examine(page, 'up');
  });

  await test.step('its address is revoked', async () => {
    await page.getByRole('button', { name: 'Revoke the addresses of Nightly backup' }).click();
    await page.getByRole('button', { name: /Sure\?/ }).click();
    await expect(item(page)).toContainText('no address');
    expect((await request.get(address)).status()).toBe(401);
  });
});

test('the Chinese page is whole, and reached from the navigation', async ({ page, server }) => {
  const config = '\n[[heartbeats]]\nid = "job"\nname = "每夜备份"\ninterval = "1h"\npaused = true\n';
  await ask(page, server, 'PUT', 'config', { toml: organisation() + config });
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'zh'));
  await page.goto(`${server.url}/more`);
  await page.locator('.more-list').getByRole('link', { name: '心跳' }).click();
  await expect(page.getByTestId('heartbeat-job')).toContainText('已暂停');
  await examine(page, 'chinese');
});

test('a stale alert is marked on the board and on its incident', async ({ page, server }) => {
  test.slow();
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
  const watched = '\n[[integrations]]\nid = "scripts"\nsilent_after = "6h"\n';
  await ask(page, server, 'PUT', 'config', { toml: organisation() + watched });
  const soon = new Date(Date.now() + 3_000).toISOString();
  const alert = { status: 'firing', severity: 'P1', host: 'db-07', summary: 'disk is full', endsAt: soon };
  await send(page, server, ingest, JSON.stringify(alert));
  await page.goto(server.url);
  await expect(page.getByTestId('row-1')).toContainText('stale: not heard again');
  await examine(page, 'board');
  await page.goto(`${server.url}/incidents/1`);
  await expect(page.getByTestId('quiet')).toContainText('Nobody said that it is over, so it stays open.');
  await expect(page.getByTestId('state')).toHaveText('Open');
  await examine(page, 'incident');
  await page.goto(`${server.url}/integrations`);
  await expect(page.locator('.senders')).toContainText('silence of 6 h 00 is a P3');
  await ask(page, server, 'PUT', 'config', { toml: organisation() + watched.replace('silent_after = "6h"', '') });
  await page.reload();
  await expect(page.locator('.senders')).toContainText('learning when its silence is unusual: heard in 1 of the 4 weeks');
  await examine(page, 'senders');
});
