// Figures about the past: an empty server, one that had a bad morning, and one that does not answer.
import { expect } from '@playwright/test';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const more = `
[[schedules]]
id = "db"
name = "Databases"
time_zone = "UTC"
rotations = [{ people = ["li"], handoff = "00:00", start = "2026-01-05" }]

[[teams]]
id = "db"
name = "Database team"
members = ["li"]
`;

test.beforeEach(async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() + more });
});

test('a morning of trouble is drawn, told and taken away', async ({ page, server }) => {
  await page.goto(`${server.url}/analytics`);
  await expect(page.getByText('Nothing happened in this range')).toBeVisible();
  await examine(page, 'analytics nothing');

  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
  await send(page, server, ingest, '[P0][PROBLEM][db-07][10.1.2.3][disk is full]');
  await send(page, server, ingest, '[P2][PROBLEM][web-09][10.1.2.4][=slow answers]');
  await send(page, server, ingest, '[P2][OK][web-09][10.1.2.4][=slow answers]');
  const { items } = await ask(page, server, 'GET', 'incidents?q=db-07');
  await ask(page, server, 'POST', `incidents/${items[0].id}/ack`, {});
  await expect
    .poll(async () => {
      const { people } = await ask(page, server, 'GET', `analytics?from=${Date.now() - 3_600_000}&until=${Date.now() + 3_600_000}`);
      return people.length;
    })
    .toBe(1);

  await page.reload();
  await expect(page.getByTestId('analytics-summary')).toContainText('2 incidents opened, 3 messages came in');
  await expect(page.getByRole('region', { name: 'Pages per person' })).toContainText('Li Wei');
  await expect(page.getByText('Half within').first()).toBeVisible();
  await examine(page, 'analytics');

  await test.step('how messages fared is told by channel', async () => {
    const channels = page.getByRole('region', { name: 'Deliveries by channel' });
    await expect(channels.getByRole('row', { name: /^webhook/ })).toBeVisible();
  });

  await test.step('a team has its own figures', async () => {
    await page.locator('#analytics-team').selectOption('db');
    await expect(page).toHaveURL(/team=db/);
    await expect(page.getByText('Nothing happened in this range')).toBeVisible();
    await page.locator('#analytics-team').selectOption('');
    await expect(page.getByTestId('analytics-summary')).toContainText('2 incidents opened');
  });

  await test.step('the numbers of a drawing are a table too', async () => {
    await page.getByText('Numbers').first().click();
    await expect(page.getByText('up to 30 s').first()).toBeVisible();
  });

  await test.step('the week shows pages or answers', async () => {
    const answers = page.getByRole('button', { name: 'Median answer' });
    await answers.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Median answer' })).toHaveAttribute('aria-pressed', 'true');
    await expect(page.getByRole('button', { name: 'Median answer' })).toBeFocused();
  });

  await test.step('a table is taken away, and no cell of it is a formula', async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'What to mend first as CSV' }).click();
    const stream = await (await download).createReadStream();
    const text = Buffer.concat(await stream.toArray()).toString();
    expect(text).toContain(`"'=slow answers"`);
  });

  await test.step('what is noisy leads to the incident', async () => {
    await page.getByRole('region', { name: 'What to mend first' }).getByRole('link', { name: 'disk is full' }).click();
    await expect(page.getByTestId('state')).toHaveText('Acked');
    await page.goBack();
  });

  await test.step('the address is the whole question', async () => {
    await page.getByRole('button', { name: '7 days' }).click();
    await expect(page).toHaveURL(/days=7/);
    await page.locator('#analytics-severity').selectOption('P0');
    await expect(page.getByTestId('analytics-summary')).toContainText('1 incident opened');
    await page.reload();
    await expect(page.locator('#analytics-severity')).toHaveValue('P0');
    await page.locator('#analytics-from').fill('2026-03-02');
    await page.locator('#analytics-until').fill('2026-03-01');
    await page.getByRole('button', { name: 'Show' }).click();
    await expect(page.getByRole('alert')).toContainText('Choose two days');
    await page.locator('#analytics-until').fill('2026-03-09');
    await page.getByRole('button', { name: 'Show' }).click();
    await expect(page).toHaveURL(/from=2026-03-02&until=2026-03-09&severity=P0/);
    await expect(page.getByText('Nothing happened in this range')).toBeVisible();
  });

  await test.step('in Chinese', async () => {
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh'));
    await page.goto(`${server.url}/analytics`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('统计分析');
    await expect(page.getByText('最该先修什么').first()).toBeVisible();
    await examine(page, 'analytics chinese');
  });
});

test('a server that does not answer is said, and asked again', { tag: '@desktop' }, async ({ page, server }) => {
  await page.route('**/api/v1/analytics?*', (route) => route.fulfill({ status: 503, body: '' }));
  await page.goto(`${server.url}/analytics`);
  await expect(page.getByRole('alert')).toContainText('Analytics');
  await examine(page, 'analytics failed');
  await page.unroute('**/api/v1/analytics?*');
  await page.getByRole('alert').getByRole('button').click();
  await expect(page.getByText('Nothing happened in this range')).toBeVisible();
});
