// Deliveries: an empty list, one with what was taken and what failed, a contact that does not work, and a server that is silent.
import { createServer, type Server as Listener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@playwright/test';
import { ask, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

/** A carrier on this machine: it takes what is sent to numbers that end in 0, and says of others that nobody has them. */
async function carrier(): Promise<Listener> {
  const listener = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      const taken = new URLSearchParams(body).get('To')?.endsWith('0');
      response.writeHead(taken ? 201 : 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify(taken ? { sid: 'SM1' } : { code: 21211, message: 'not a number' }));
    });
  });
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
  return listener;
}

const config = (port: number) => `
fallback = ["person:li"]
people = [
  { id = "li", name = "Li Wei", contacts = [{ id = "text", sms = "+8613800138000" }] },
  { id = "anna", name = "Anna", contacts = [{ id = "old", sms = "+8613800138001" }, { id = "new", sms = "+8613800138010" }] },
]
policies = [{ id = "p", levels = [{ notify = ["person:li", "person:anna"], delay = "5m" }] }]
routes = [{ id = "all", policy = "p" }]
[channels.twilio]
account = "AC1"
token = "secret-token"
from = "+15551230000"
base = "http://127.0.0.1:${port}"
`;

test('what was sent is listed with every hop, and so is how its provider does', async ({ page, server }) => {
  const listener = await carrier();
  try {
    await ask(page, server, 'PUT', 'config', { toml: config((listener.address() as AddressInfo).port) });
    await page.goto(`${server.url}/deliveries`);
    await expect(page.getByText('Nothing was sent', { exact: true })).toBeVisible();
    await expect(page.getByText('Nothing was sent in the last 24 hours')).toBeVisible();
    await examine(page, 'deliveries nothing');

    const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
    await send(page, server, ingest, '[P1][PROBLEM][db-07][10.1.2.3][disk is full]');
    await expect
      .poll(async () => (await ask(page, server, 'GET', 'deliveries?state=accepted,failed')).items.length)
      .toBeGreaterThanOrEqual(3);

    // They come by themselves.
    const rows = page.getByTestId('delivery');
    await expect(rows.filter({ hasText: 'Li Wei' })).toContainText('Taken');
    await expect(rows.filter({ hasText: 'Li Wei' })).toContainText('queued');
    await expect(rows.filter({ hasText: 'old' })).toContainText('this is not a telephone number');
    const provider = page.getByTestId('provider-twilio');
    await expect(provider).toContainText('Well');
    await expect(provider).toContainText('1 failed');
    await expect(provider).toContainText('This contact does not work');
    await examine(page, 'deliveries');

    await test.step('the graph is a table too', async () => {
      await provider.getByRole('button', { name: 'Table of twilio: taken and failed' }).click();
      await expect(provider.getByRole('columnheader', { name: 'Failed' })).toBeVisible();
      await provider.getByRole('button', { name: 'Picture of twilio: taken and failed' }).click();
    });

    await test.step('what is chosen stands in the address', async () => {
      await page.locator('#deliveries-state').selectOption('failed');
      await expect(page).toHaveURL(/state=failed/);
      await expect(rows).toHaveCount(1);
      await page.locator('#deliveries-person').selectOption('li');
      await expect(page.getByText('Nothing like that was sent')).toBeVisible();
      await page.getByRole('link', { name: 'Show all of them' }).click();
      await expect(rows.filter({ hasText: 'Li Wei' })).toBeVisible();
    });

    await test.step('who reads on keeps their place while more comes, and what is there stays when no more can be had', async () => {
      const first = rows.filter({ hasText: '#1' }).filter({ hasText: 'Li Wei' }).getByRole('link');
      await first.focus();
      await send(page, server, ingest, '[P1][PROBLEM][db-08][10.1.2.4][disk is full]');
      await expect
        .poll(async () => (await ask(page, server, 'GET', 'deliveries?state=accepted,failed')).items.length)
        .toBeGreaterThanOrEqual(6);
      await expect(first).toBeFocused();
      await first.blur();
      await expect(rows.filter({ hasText: '#2' }).first()).toBeVisible();
      const refused = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/deliveries') && answer.status() === 503);
      await page.route('**/api/v1/deliveries', (route) => route.fulfill({ status: 503, body: '{}' }));
      await refused;
      await expect(rows.filter({ hasText: '#2' }).first()).toBeVisible();
      await page.unroute('**/api/v1/deliveries');
    });

    await test.step('it is taken away as a table, and an incident as a proof', async () => {
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'These deliveries as CSV' }).click();
      const text = Buffer.concat(await (await (await download).createReadStream()).toArray()).toString();
      expect(text).toContain('twilio,accepted');
      await rows.first().getByRole('link').click();
      await page.getByRole('button', { name: 'Show the proof' }).click();
      const proof = page.waitForEvent('download');
      await page.getByTestId('proof-file').click();
      const lines = Buffer.concat(await (await (await proof).createReadStream()).toArray()).toString();
      expect(lines).toContain('"kind":"delivery"');
    });
  } finally {
    listener.close();
  }
});

test('a server that does not answer for the list says so, and the rest of the page stays', { tag: '@desktop' }, async ({ page, server }) => {
  await page.route('**/api/v1/deliveries', (route) => route.fulfill({ status: 503, body: '{}' }));
  await page.goto(`${server.url}/deliveries`);
  await expect(page.getByRole('alert').filter({ hasText: 'Every delivery' })).toBeVisible();
  await expect(page.getByTestId('providers')).toContainText('Nothing was sent in the last 24 hours');
  await examine(page, 'deliveries failing');
  await page.unroute('**/api/v1/deliveries');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('Nothing was sent', { exact: true })).toBeVisible();
});
