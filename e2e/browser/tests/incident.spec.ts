// The page of one incident as a page of the pager opens it: by its link, with nothing else loaded yet.
import { expect, type Page } from '@playwright/test';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { type Server } from '../server.ts';
import { examine } from '../whole.ts';

/** The first incident of a server: a P0. */
async function ring(page: Page, server: Server): Promise<void> {
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  await send(page, server, ingest, '[P0][PROBLEM][db-07][10.1.2.3][host is down]');
}

test('an incident is whole, and can be answered, before the board is there', async ({ page, server }) => {
  await ring(page, server);
  // What this browser remembers would be a board too.
  await page.evaluate(() => {
    localStorage.clear();
    localStorage.setItem('tocsin.language', 'en');
  });

  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/api/v1/incidents?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${server.url}/incidents/1`);
  await expect(page.getByTestId('state')).toHaveText('Open');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('host is down');
  await page.getByRole('button', { name: /^Ack\b/ }).first().click();
  await expect(page.getByTestId('state')).toHaveText('Acked');
  letGo();
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await expect(page.getByTestId('state')).toHaveText('Acked');
});

test('a page that is hidden after it asked for a frame learns of what happens all the same', { tag: '@desktop' }, async ({ page, server }) => {
  // A browser keeps the frame until the page is looked at again.
  await page.evaluate(() => (window.requestAnimationFrame = () => 0));
  await ring(page, server);
  await expect(page.getByTestId('row-1')).toBeVisible();
});

test.describe('when what explains it does not arrive', () => {
  // The worker would ask in the page's stead, where a test cannot stand in between.
  test.use({ serviceWorkers: 'block' });

  test('an incident can be answered all the same, and what is missing is asked for again', { tag: '@desktop' }, async ({ page, server }) => {
    await ring(page, server);
    const file = '**/assets/split_incident*.wasm';
    await page.route(file, (route) => route.abort());
    await page.goto(`${server.url}/incidents/1`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('host is down');
    const missing = page.locator('main').getByTestId('part-missing');
    await expect(missing).toBeVisible();
    await examine(page, 'an incident without what explains it');
    await page.getByRole('button', { name: /^Ack\b/ }).filter({ visible: true }).first().click();
    await expect(page.getByTestId('state')).toHaveText('Acked');

    await page.keyboard.press('s');
    const dialog = page.locator('dialog[open]');
    await expect(dialog.getByTestId('part-missing')).toBeVisible();
    await page.unroute(file);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await expect(dialog.getByRole('button', { name: /15 min/ })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('swimlane')).toBeVisible();
    await expect(missing).toHaveCount(0);
  });
});
