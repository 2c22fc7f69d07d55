// From an alert's address to the VM and its hypervisor in the browser: one field that takes anything, the drawn way, many
// lines at once, a source that fails. Against a server of its own, on desktop and phone.
import { expect, type Page } from '@playwright/test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const MACHINES = `name,mac,ip,hypervisor,cluster,network,vlan
web01,52:54:00:00:00:01,10.1.2.3,kvm-1,prod,br-int,42
web02,52:54:00:00:00:02,10.1.2.4,kvm-1,prod,br-int,42
web01-clone,52:54:00:00:00:01,,kvm-2,prod,br-int,43
${Array.from({ length: 12 }, (_, n) => `db${n},52:54:00:00:01:${(n + 16).toString(16)},10.1.3.${n + 1},kvm-2,prod,,`).join('\n')}
`;

const folder = mkdtempSync(join(tmpdir(), 'tocsin-machines-'));
test.afterAll(() => rmSync(folder, { recursive: true }));

const source = (file: string) =>
  `\n[[sources]]\nid = "list"\nname = "Our list"\nkind = "file"\naddress = "${file}"\nevery = "1s"\n`;
const found = (page: Page) => page.getByTestId('found');

async function lookUp(page: Page, text: string): Promise<void> {
  await page.getByTestId('machine-text').fill(text);
  await page.getByTestId('machine-text').press('Enter');
}

test('an address leads to the VM, its hypervisor and what is open there', async ({ page, server }) => {
  test.slow();
  await page.goto(`${server.url}/machines`);
  await expect(page.getByText('No source is configured yet.')).toBeVisible();
  await examine(page, 'machines empty');

  const file = join(folder, `${test.info().project.name}.csv`);
  writeFileSync(file, MACHINES);
  await ask(page, server, 'PUT', 'config', { toml: organisation() + source(file) });
  const sender = await ask(page, server, 'POST', 'integrations', { name: 'falcon' });
  await send(page, server, sender.url, '[P1][PROBLEM][web02][10.1.2.4][host is down]');
  await expect(page.getByTestId('sources')).toContainText('15 VMs, 15 interfaces, 2 hypervisors');

  await test.step('what is typed is understood at once, and what is wrong is said', async () => {
    await page.getByTestId('machine-text').fill('0050.56ab.cdef 10.1.2.0/24\nff:ff:ff:ff:ff:ff');
    await expect(page.getByTestId('understood')).toHaveText(/MAC ×1.*network ×1.*not understood ×1/);
    await expect(page.getByRole('alert')).toContainText('is the broadcast address');
  });

  await test.step('the way is drawn with who says so', async () => {
    await lookUp(page, '10.1.2.4');
    await expect(page).toHaveURL(/\/machines\?q=10\.1\.2\.4$/);
    const way = found(page).getByRole('list', { name: 'The way to web02' });
    await expect(way.getByRole('listitem')).toHaveText([
      /IP.*10\.1\.2\.4.*written down.*list/,
      /Interface.*52:54:00:00:00:02/,
      /VM.*web02/,
      /Port.*br-int/,
      /Hypervisor.*kvm-1.*written down/,
      /Cluster.*prod/,
    ]);
    await expect(found(page).getByRole('link', { name: /#1/ })).toBeVisible();
    await examine(page, 'machines found');
  });

  await test.step('an incident leads to its machine', async () => {
    await page.goto(`${server.url}/incidents/1`);
    await page.getByRole('link', { name: '10.1.2.4' }).click();
    await expect(found(page).getByRole('list', { name: 'The way to web02' })).toBeVisible();
  });

  await test.step('the hypervisor shows which of its VMs are alerting', async () => {
    await found(page).getByRole('link', { name: '2 VMs there' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('kvm-1');
    await expect(page.getByTestId('hypervisor')).toContainText('2 VMs, 1 of them with open incidents');
    await expect(page.locator('.tenants li').first()).toContainText('web02');
    await examine(page, 'hypervisor');
    await page.locator('.tenants').getByRole('link', { name: 'web02', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('web02');
    await expect(page.getByTestId('vm')).toContainText('VLAN 42');
    await examine(page, 'vm');
  });

  await test.step('an address that two VMs have is shown as such', async () => {
    await page.goto(`${server.url}/machines?q=52-54-00-00-00-01`);
    await expect(found(page).locator('.machine')).toHaveCount(2);
    await expect(found(page).locator('.doubts').first()).toContainText('Several VMs have 52:54:00:00:00:01: web01, web01-clone');
    await lookUp(page, '10.9.9.9');
    await expect(found(page)).toContainText('Nothing is known of 10.9.9.9.');
  });

  await test.step('many lines are a table, what was not found first', async () => {
    const lines = Array.from({ length: 12 }, (_, n) => `10.1.3.${n + 1} dev eth0 lladdr 52:54:00:00:01:${(n + 16).toString(16)} REACHABLE`);
    await lookUp(page, ['10.9.9.9', ...lines].join('\n'));
    const rows = found(page).locator('tbody tr');
    await expect(rows).toHaveCount(25);
    await expect(rows.first()).toContainText('No source knows it.');
    await expect(found(page).getByRole('button', { name: 'Copy as CSV' })).toBeVisible();
    await examine(page, 'machines many');
  });

  await test.step('a source that fails says why; what it said before counts', async () => {
    writeFileSync(file, 'name,mac\nweb01,52:54\n');
    await expect(page.getByTestId('sources')).toContainText('row 1: `mac` 52:54 has 4 hexadecimal digits');
    await page.goto(`${server.url}/machines?q=web02`);
    await expect(found(page)).toContainText('Our list does not answer');
    await expect(found(page).locator('.machine')).toHaveCount(1);
    await examine(page, 'machines failing');
  });
});

test('the Chinese page is whole', async ({ page, server }) => {
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'zh'));
  await page.goto(`${server.url}/machines`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('机器');
  await expect(page.getByText('尚未配置数据源。')).toBeVisible();
  await examine(page, 'machines zh');
});
