// It did not ring for somebody: they ask why, for a moment that is over. Against a server of its own.
import { expect } from '@playwright/test';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const more = `
[[people]]
id = "anna"
name = "Anna"
contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/anna" }]

[[schedules]]
id = "db"
name = "Databases"
time_zone = "UTC"
rotations = [{ people = ["li"], handoff = "00:00", start = "2026-01-05" }]
overrides = [{ person = "anna", from = "2100-01-01 00:00", until = "2100-01-02 00:00" }]
`;

test.beforeEach(async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() + more });
});

test('who was not paged asks why, and each thing of that time has its reason', async ({ page, server }) => {
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
  await send(page, server, ingest, '[P1][PROBLEM][db-07][10.1.2.3][disk is full]');
  await send(page, server, ingest, '[P1][OK][web-09][10.1.2.4][slow answers]');
  await page.goto(`${server.url}/oncall`);
  await page.getByTestId('why-not-link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Why not me?');
  await examine(page, 'question');

  const answer = page.getByTestId('why-not');
  await page.locator('#why-not-person').selectOption('anna');
  await page.getByRole('button', { name: 'Ask' }).click();
  await expect(answer).toContainText('Databases');
  await expect(answer).toContainText('it was Li Wei');
  await expect(answer).toContainText('No page: no level of everything names them');
  await expect(answer).toContainText('web-09');
  await examine(page, 'answer');

  await test.step('the address is the whole question', async () => {
    await page.reload();
    await expect(page.locator('#why-not-person')).toHaveValue('anna');
    await expect(answer).toContainText('No page: no level of everything names them');
  });

  await test.step('whoever was paged reads when and how', async () => {
    await page.locator('#why-not-person').selectOption('li');
    await page.getByRole('button', { name: 'Ask' }).click();
    await expect(answer).toContainText('by level 1 of policy everything');
    await expect(answer).toContainText('on call');
    await answer.getByRole('link', { name: /disk is full/ }).click();
    await expect(page.getByTestId('state')).toHaveText('Open');
  });

  await test.step('each noun of the reason leads to the version that was used', async () => {
    await page.getByTestId('why').getByRole('button', { name: 'Show the proof' }).click();
    const why = page.getByTestId('why');
    await expect(why).toContainText('everything v1, level 1');
    await examine(page, 'proof');
    const changed = (organisation() + more).replace('name = "Anna"', 'name = "Anna Berg"').replace(/delay = "\d+m"/, 'delay = "47m"');
    await ask(page, server, 'PUT', 'config', { toml: changed });
    // The way it was reached is a noun too, and its address is nobody's business.
    await why.getByRole('link', { name: 'phone', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Contact: phone (Li Wei)');
    await expect(page.getByTestId('version-band')).toContainText('version 1, in force');
    await expect(page.locator('.noun-text')).toContainText('webhook = "********"');
    await page.goBack();
    await why.getByRole('link', { name: 'everything v1' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Policy: everything');
    const band = page.getByTestId('version-band');
    await expect(band).toContainText('version 1, in force');
    await expect(band).toContainText("today's is version 2");
    await expect(page.getByTestId('part')).toHaveText('It was level 1.');
    await expect(page.locator('.noun-text ins')).toContainText('delay = "47m"');
    await expect(page.getByRole('button', { name: 'Edit' })).toHaveCount(0);
    await examine(page, 'policy-then');
    await band.getByRole('link').click();
    await expect(page.getByTestId('versions')).toContainText('version 1');
    await examine(page, 'versions');
  });

  await test.step('the future cannot be asked about', async () => {
    await page.goto(`${server.url}/why-not`);
    await page.locator('#why-not-at').fill('2199-01-01T03:12');
    await page.getByRole('button', { name: 'Ask' }).click();
    await expect(page.getByRole('alert')).toContainText('a day and a time that is over');
  });
});
