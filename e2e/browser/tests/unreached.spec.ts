// Nobody can be reached: every page says so, until somebody answers.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@playwright/test';
import { ask, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const config = (port: number) => `
fallback = ["person:li"]
channels.webhook = { allow_networks = ["127.0.0.0/8"], allow_http = true }
people = [
  { id = "li", name = "Li Wei", contacts = [{ id = "hook", webhook = "http://127.0.0.1:${port}/gone" }] },
  { id = "ops", name = "Ops", contacts = [{ id = "hook", webhook = "http://127.0.0.1:${port}/" }] },
]
policies = [
  { id = "p", levels = [{ notify = ["person:li"], delay = "5m" }] },
  { id = "ops", levels = [{ notify = ["person:ops"], delay = "5m" }] },
]
# What the pager says of itself, such as that a policy reaches nobody, reaches somebody.
routes = [{ id = "own", match = ["integration = tocsin"], policy = "ops" }, { id = "all", policy = "p" }]
`;

test('what nobody can be told of stands on every page until somebody answers', async ({ page, server }) => {
  const receiver = createServer(({ url }, response) => response.writeHead(url === '/gone' ? 410 : 204).end());
  await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
  try {
    await ask(page, server, 'PUT', 'config', { toml: config((receiver.address() as AddressInfo).port) });
    const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
    await page.goto(`${server.url}/`);
    const banner = page.getByTestId('unreached');
    await expect(page.getByTestId('connection')).toContainText('Live');
    await expect(banner).toHaveCount(0);
    await send(page, server, ingest, '[P0][PROBLEM][db-07][10.1.2.3][host is down]');
    await expect(banner).toContainText('Nobody can be reached about what is urgent (1)');
    await examine(page, 'unreached board');
    await banner.getByRole('link', { name: 'What failed' }).click();
    await expect(page).toHaveURL(/deliveries\?state=failed/);
    await expect(banner).toBeVisible();
    await examine(page, 'unreached deliveries');

    await page.goto(`${server.url}/incidents/1`);
    await expect(page.getByTestId('timeline')).toContainText("every delivery failed, the fallback's as well");
    await ask(page, server, 'POST', 'incidents/1/ack', {});
    await expect(banner).toHaveCount(0);
  } finally {
    receiver.close();
  }
});
