// JSON that nobody knows is captured, its members are given to fields by clicking, and the next message opens an incident by
// them. Against a server of its own.
import { expect, type Page } from '@playwright/test';
import { PASSWORD, ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const raised = JSON.stringify({
  env: 'prod',
  items: [{ what: { title: 'replication lag' }, where: 'db-07', badness: 'crit', phase: 'raised', crew: 'dba' }],
});

const editor = (page: Page) => page.getByTestId('mapping');
const payload = (page: Page) => page.getByTestId('payload');
const rules = (page: Page) => page.getByTestId('mapping-rules');
const result = (page: Page) => page.getByTestId('mapping-result');
const bar = (page: Page) => page.getByTestId('mapping-bar');
const field = (page: Page, name: string) => result(page).locator(`[data-field="${name}"]`);
const leaf = (page: Page, text: string) => payload(page).locator('button.leaf').filter({ hasText: text }).first();

async function use(page: Page, member: string, as: string): Promise<void> {
  await leaf(page, member).click();
  await payload(page).getByRole('group').getByRole('button', { name: as, exact: true }).click();
  await expect(leaf(page, member)).toBeFocused();
}

let ingest: string;

test.beforeEach(async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  ({ url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Shop' }));
});

test('a captured payload is mapped by clicking, saved, and read by that', async ({ page, server }) => {
  test.slow();
  await test.step('a sender that was never heard says so', async () => {
    await page.goto(`${server.url}/integrations`);
    await page.getByRole('link', { name: 'Shop' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Shop');
    await expect(editor(page)).toContainText('No JSON has come from it yet');
    await examine(page, 'mapping empty');
  });

  await test.step('what arrives is shown as a tree', async () => {
    await send(page, server, ingest, raised);
    await expect(leaf(page, 'badness')).toBeVisible();
    await expect(field(page, 'summary')).toContainText('(no text)');
    await expect(field(page, 'host')).toContainText('not found');
    await expect(field(page, 'severity')).toContainText('no level is said');
  });

  await test.step('members become fields, with the alert beside them', async () => {
    await payload(page).getByRole('button', { name: 'One alert each' }).click();
    await use(page, 'where', 'Host');
    await expect(field(page, 'host')).toContainText('db-07');
    await expect(field(page, 'host')).toContainText('mapped by /items/0/where');
    await expect(leaf(page, 'where')).toContainText('Host');
    await use(page, 'title', 'What');
    await use(page, 'where', '+ What');
    await expect(field(page, 'summary')).toContainText('replication lag db-07');
    await page.locator('#rule-summary').fill('{/what/title} on {/where}');
    await expect(field(page, 'summary')).toContainText('replication lag on db-07');
    await use(page, 'badness', 'Level');
    await expect(field(page, 'severity')).toContainText('P1');
    await rules(page).getByLabel('“crit” means').selectOption('P0');
    await expect(field(page, 'severity')).toContainText('P0');
    await use(page, 'phase', 'Status');
    const another = rules(page).getByLabel('Another word of the sender').last();
    await another.fill('gone');
    await another.press('Enter');
    await rules(page).getByLabel('“gone” means').selectOption('recovery');
    await use(page, 'crew', 'Label crew');
    await use(page, 'env', 'Service');
    await expect(field(page, 'service')).toContainText('mapped by /env');
    await examine(page, 'mapping editor');
  });

  await test.step('by keyboard, too', async () => {
    await leaf(page, 'phase').focus();
    await page.keyboard.press('Enter');
    await expect(payload(page).getByRole('group')).toBeVisible();
    await examine(page, 'mapping uses');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await expect(payload(page).getByRole('group')).toHaveCount(0);
    await expect(leaf(page, 'phase')).toBeFocused();
  });

  await test.step('what is wrong is named at once, and cannot be saved', async () => {
    await page.locator('#rule-host').fill('{where}');
    await expect(result(page)).toContainText('is not a pointer in braces');
    await expect(bar(page).getByRole('button', { name: 'Put in force' })).toBeDisabled();
    await examine(page, 'mapping wrong');
    await page.locator('#rule-host').fill('/where');
    await expect(field(page, 'host')).toContainText('db-07');
  });

  await test.step('somebody was faster: nothing typed is lost', async () => {
    await ask(page, server, 'PUT', 'config', { toml: `${organisation()}\n# and a remark\n` });
    await bar(page).getByRole('button', { name: 'Put in force' }).click();
    await expect(bar(page).getByRole('button', { name: 'Load again and keep my changes' })).toBeVisible();
    await examine(page, 'mapping conflict');
    await bar(page).getByRole('button', { name: 'Load again and keep my changes' }).click();
    await expect(bar(page).getByRole('button', { name: 'Load again and keep my changes' })).toHaveCount(0);
    await expect(page.locator('#rule-summary')).toHaveValue('{/what/title} on {/where}');
    await bar(page).getByRole('button', { name: 'Put in force' }).click();
    await expect(page.locator('.toasts')).toContainText('In force with version');
    await expect(bar(page)).toHaveCount(0);
  });

  await test.step('the next message opens an incident by it, and its own word ends that', async () => {
    await send(page, server, ingest, raised);
    const open = async () => (await ask(page, server, 'GET', 'incidents')).items;
    const [incident] = (await open()).filter((it: { severity: string }) => it.severity === 'P0');
    expect(incident).toMatchObject({ severity: 'P0', host: 'db-07' });
    await page.goto(`${server.url}/incidents/${incident.id}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('replication lag on db-07');
    await send(page, server, ingest, raised.replace('raised', 'gone'));
    await expect.poll(async () => (await open()).map((it: { id: number }) => it.id)).not.toContain(incident.id);
  });

  await test.step('it is there when one comes back, in Chinese too, and can be taken away', async () => {
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh'));
    await page.goto(`${server.url}/integrations/shop`);
    await expect(field(page, 'host')).toContainText('映射');
    await examine(page, 'mapping chinese');
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'en'));
    await page.reload();
    await editor(page).getByRole('button', { name: 'Remove the mapping' }).click();
    await expect(rules(page)).toContainText('Nothing yet');
    await expect(field(page, 'host')).toContainText('not found');
  });
});

test('what could not be read is mapped from the quarantine', async ({ page, server }) => {
  const refused = JSON.stringify({ zabbix: { event_id: '{EVENT.ID}', event_name: 'disk full' }, box: 'db-07' });
  const path = new URL(ingest, server.url).pathname;
  const headers = { 'content-type': 'application/json' };
  const answer = await page.context().request.post(`${server.url}${path}`, { data: refused, headers });
  expect(answer.status()).toBe(400);
  await page.goto(`${server.url}/messages?outcome=rejected`);
  await page.getByRole('link', { name: 'Map this' }).first().click();
  await expect(page).toHaveURL(/integrations\/shop\?event=\d+#mapping/);
  await expect(result(page)).toContainText('It would be put into quarantine');
  await use(page, 'box', 'Host');
  await use(page, 'event_name', 'What');
  await expect(field(page, 'summary')).toContainText('disk full');
  await examine(page, 'mapping quarantine');
  await page.getByText('Paste another').click();
  await page.getByLabel('JSON as the sender posts it').fill('{"box": ');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(editor(page).getByRole('alert')).not.toBeEmpty();
  await page.getByLabel('JSON as the sender posts it').fill('{"box": "web-1", "title": "slow"}');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(field(page, 'host')).toContainText('web-1');
  await page.getByRole('link', { name: 'What could not be read' }).click();
  await expect(page.locator('.messages tbody tr')).toHaveCount(1);
  await examine(page, 'quarantine of one');
});

test('the gallery says what changes at each sender', async ({ page, server }) => {
  await page.goto(`${server.url}/integrations`);
  const gallery = page.getByTestId('gallery');
  const names = ['Nagios, Icinga', 'Nightingale', 'Uptime Kuma', 'Netdata', 'Apprise', 'Alerta', 'Opsgenie', 'Zabbix', 'rsyslog', 'syslog-ng', 'logger',
    'GitHub', 'Sentry', 'Amazon SNS, Huawei SMN', 'CloudEvents', 'Fluent Bit', 'Fluentd', 'Mail', 'Signed', 'Standard Webhooks'];
  for (const name of names) {
    await expect(gallery.getByRole('button', { name }).first()).toBeVisible();
  }
  await gallery.getByRole('button', { name: 'Netdata' }).click();
  await expect(gallery.locator('.snippet')).toContainText('ALERTA_API_KEY="TOKEN"');
  await examine(page, 'gallery');
  await gallery.getByRole('button', { name: 'Make an integration for it' }).click();
  await expect(page.locator('#integration-name')).toBeFocused();
});

test('those who may not change it see the rest, and what fails says so', { tag: '@desktop' }, async ({ page, server }) => {
  await page.route('**/api/v1/preview/mapping', (route) => route.fulfill({ status: 500, body: '{}' }), { times: 1 });
  await send(page, server, ingest, raised);
  await page.goto(`${server.url}/integrations/shop`);
  await expect(result(page).locator('.notice.bad')).toBeVisible();
  await examine(page, 'mapping failed');
  await result(page).getByRole('button', { name: 'Try again' }).click();
  await expect(field(page, 'host')).toContainText('not found');
  await use(page, 'where', 'Host');
  await expect(field(page, 'host')).toContainText('db-07');
  await page.goto(`${server.url}/integrations/nobody`);
  await expect(page.getByText('There is no such sender')).toBeVisible();
  const account = { login: 'eve', name: 'Eve', role: 'viewer', person: null, password: PASSWORD };
  await ask(page, server, 'POST', 'accounts', account);
  await ask(page, server, 'POST', 'session', { login: 'eve', password: PASSWORD });
  await page.goto(`${server.url}/integrations/shop`);
  await expect(page.getByTestId('sender-recent')).toContainText('badness');
  await expect(page.getByText('Administrators can change it.')).toBeVisible();
  await expect(editor(page)).toHaveCount(0);
  await examine(page, 'sender viewer');
});

test('two people change one mapping: what one touched is kept, what both did is asked', async ({ page, server }) => {
  await send(page, server, ingest, '{"box": "db-07", "name": "db-07.example", "addr": "10.8.3.21", "id": 9007199254740993, "load": 1.0, "gone": null}');
  await page.goto(`${server.url}/integrations/shop`);
  await test.step('numbers are as they came, and null is no word', async () => {
    await expect(leaf(page, 'id')).toContainText('9007199254740993');
    await expect(leaf(page, 'load')).toContainText('1.0');
    await expect(leaf(page, 'gone')).toContainText('no value');
    await leaf(page, 'gone').click();
    await expect(payload(page).getByRole('group')).not.toContainText('Only when');
    await page.keyboard.press('Escape');
  });
  await use(page, 'box', 'Host');
  await use(page, 'load', 'Label load');
  const theirs = '[[integrations]]\nid = "shop"\nname = "Shop"\nmapping = { host = "/name", ip = "/addr" }\n';
  await ask(page, server, 'PUT', 'config', { toml: organisation() + theirs });
  await bar(page).getByRole('button', { name: 'Put in force' }).click();
  await bar(page).getByRole('button', { name: 'Load again and keep my changes' }).click();
  const clashes = page.getByTestId('mapping-clashes');
  await expect(clashes.getByRole('listitem')).toHaveCount(1);
  await expect(clashes).toContainText('yours /box');
  await expect(clashes).toContainText('theirs /name');
  await expect(page.locator('#rule-ip'), 'what only they changed is here').toHaveValue('/addr');
  await expect(page.locator('[id="rule-labels.load"]'), 'what only we changed stays').toHaveValue('/load');
  await expect(bar(page).getByRole('button', { name: 'Put in force' })).toBeDisabled();
  await examine(page, 'mapping clash');
  await clashes.getByRole('button', { name: 'Take theirs: Host' }).click();
  await expect(clashes).toHaveCount(0);
  await expect(page.locator('#rule-host')).toHaveValue('/name');
  await bar(page).getByRole('button', { name: 'Put in force' }).click();
  await expect(page.locator('.toasts')).toContainText('In force with version');
  await expect(bar(page)).toHaveCount(0);
  const { document } = await ask(page, server, 'GET', 'config/document');
  const [shop] = document.integrations.filter((it: { id: string }) => it.id === 'shop');
  expect(shop.mapping).toMatchObject({ host: '/name', ip: '/addr', labels: { load: '/load' } });
});

test('a message that is not there is said, and a sender that is not there has no editor', { tag: '@desktop' }, async ({ page, server }) => {
  await page.goto(`${server.url}/integrations/shop?event=404#mapping`);
  await expect(editor(page).getByRole('alert')).toContainText('The message');
  await expect(editor(page).getByRole('button', { name: 'Try again' })).toBeVisible();
  await examine(page, 'mapping no message');
  await page.goto(`${server.url}/integrations/nobody`);
  await expect(page.getByText('There is no such sender')).toBeVisible();
  await expect(editor(page)).toHaveCount(0);
  await expect(page.getByTestId('sender-requests')).toHaveCount(0);
  await examine(page, 'sender unknown');
});
