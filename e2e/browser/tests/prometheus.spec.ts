// Prometheus tells an alert as to an Alertmanager: what to paste stands on the page, the annotations stand on the incident, and
// a silence made by amtool says whose it is.
import { expect } from '@playwright/test';
import { ask, organisation } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

test('an alert of Prometheus with its annotations, and a silence by amtool', async ({ page, server, request }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  await page.goto(`${server.url}/integrations`);
  await page.locator('#integration-name').fill('Prometheus');
  await page.keyboard.press('Enter');
  await page.locator('.snippet-tabs').getByText('Prometheus', { exact: true }).click();
  const config = (await page.locator('.snippet').textContent())!;
  const prefix = /path_prefix: (\/am\/\S+)/.exec(config)?.[1] ?? 'no prefix';
  expect(config).toContain(`targets: ['${new URL(server.url).host}']`);
  await examine(page, 'snippet');

  const alert = {
    labels: { alertname: 'Down', instance: 'db-07:9100', severity: 'critical' },
    annotations: { summary: 'db-07 is down', runbook_url: 'https://wiki.example/down', dashboard: 'https://g.example/d/1', owner: 'the database team' },
    endsAt: '2999-01-01T00:00:00Z',
  };
  const headers = { 'content-type': 'application/json' };
  expect((await request.post(`${server.url}${prefix}/api/v2/alerts`, { headers, data: [alert] })).status()).toBe(200);
  const day = 86_400_000;
  const silence = {
    matchers: [{ name: 'alertname', value: 'Down', isRegex: false }], createdBy: 'wang', comment: 'works on db-07',
    startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + day).toISOString(),
  };
  expect((await request.post(`${server.url}${prefix}/api/v2/silences`, { headers, data: silence })).status()).toBe(200);
  await page.goto(`${server.url}/incidents/1`);
  await expect(page.locator('.annotations')).toContainText('the database team');
  await expect(page.locator('.annotations').getByRole('link', { name: 'https://g.example/d/1' })).toBeVisible();
  // It is a link below already.
  await expect(page.locator('.annotations')).not.toContainText('wiki.example');
  await examine(page, 'incident');
  await page.goto(`${server.url}/silences`);
  await expect(page.getByText('works on db-07').first()).toBeVisible();
  await expect(page.getByText(/wang \(/).first()).toBeVisible();
  await examine(page, 'silence');
});
