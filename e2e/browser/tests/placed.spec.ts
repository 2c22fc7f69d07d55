// Which machine an incident is about, as it was known then; and a hypervisor that is suspected with the VMs that are quiet
// because of it. Against a server of its own, on desktop and phone.
import { expect } from '@playwright/test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-placed-'));
test.afterAll(() => rmSync(folder, { recursive: true }));

/** Eight VMs, the first of them on a hypervisor of its choice. */
function machines(file: string, first: string): void {
  const row = (n: number) => `web${n},52:54:00:00:00:0${n},10.1.2.${n},${n === 1 ? first : 'kvm-1'},prod,br-int,42`;
  const rows = Array.from({ length: 8 }, (_, n) => row(n + 1));
  writeFileSync(file, ['name,mac,ip,hypervisor,cluster,network,vlan', ...rows, 'db01,,10.1.3.1,kvm-2,prod,,', ''].join('\n'));
}

test('an incident shows its machine as it was, and a suspected hypervisor its VMs', async ({ page, server }) => {
  test.slow();
  const file = join(folder, `${test.info().project.name}.csv`);
  machines(file, 'kvm-1');
  const source = `\n[[sources]]\nid = "list"\nkind = "file"\naddress = "${file}"\nevery = "1s"\n`;
  await ask(page, server, 'PUT', 'config', { toml: organisation() + source });
  const sender = await ask(page, server, 'POST', 'integrations', { name: 'falcon' });
  await page.goto(`${server.url}/machines`);
  await expect(page.getByTestId('sources')).toContainText('9 VMs');
  const down = (n: number) => send(page, server, sender.url, `[P1][PROBLEM][web${n}][10.1.2.${n}][host is down]`);

  await test.step('the way to the machine is drawn on the incident', async () => {
    await down(1);
    await page.goto(`${server.url}/incidents/1`);
    const place = page.getByTestId('place');
    await expect(place.getByRole('list', { name: 'The way to web1' }).getByRole('listitem')).toHaveText([
      /IP.*10\.1\.2\.1/,
      /Interface.*52:54:00:00:00:01/,
      /VM.*web1/,
      /Port.*br-int/,
      /Hypervisor.*kvm-1/,
      /Cluster.*prod/,
    ]);
    await expect(page.getByTestId('followers')).toHaveCount(0);
    await examine(page, 'incident placed');
  });

  await test.step('it stays as it was when the VM moves', async () => {
    machines(file, 'kvm-2');
    await expect
      .poll(async () => (await ask(page, server, 'GET', 'vms?q=web1')).items[0].hypervisor.name)
      .toBe('kvm-2');
    await expect(page.getByText('VM web1 runs on kvm-2 now, no longer on kvm-1').first()).toBeVisible();
    await page.reload();
    await expect(page.getByTestId('place').getByRole('listitem').nth(4)).toContainText('kvm-1');
    await page.getByTestId('place').getByRole('link', { name: 'web1' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('web1');
    await expect(page.locator('main')).toContainText('kvm-2');
  });

  await test.step('three of the seven that are left make the hypervisor suspect', async () => {
    await down(2);
    await down(3);
    await down(4);
    await page.goto(`${server.url}/incidents/5`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('hypervisor suspected: 3 of 7 VMs fail alike');
    const followers = page.getByTestId('followers');
    await expect(followers.getByRole('link')).toHaveText([/#2 web2/, /#3 web3/, /#4 web4/]);
    await expect(page.getByText('kvm-1 is suspected: 3 of 7 VMs there fail alike', { exact: false }).first()).toBeVisible();
    await examine(page, 'hypervisor suspected');
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh-CN'));
    await page.reload();
    await expect(followers.getByRole('heading')).toHaveText('因此保持安静：3');
    await examine(page, '疑似故障的宿主机');
    await page.evaluate(() => localStorage.setItem('tocsin.language', 'en'));
  });

  await test.step('one of its VMs says why it is quiet, and the board does', async () => {
    await page.goto(`${server.url}/incidents/3`);
    const quiet = page.getByTestId('quiet');
    await expect(quiet).toContainText('Its hypervisor kvm-1 is suspected: #5 pages instead');
    await quiet.getByRole('link').click();
    await expect(page).toHaveURL(/\/incidents\/5$/);
    await page.goto(server.url);
    await expect(page.getByTestId('row-3')).toContainText('follows #5');
  });
});
