// A machine's traffic is looked at: described with the keyboard, begun, seen to copy, extended, stopped and proved stopped;
// from an incident in two taps; approved by a second person; and stopped all at once. Against a server of its own whose
// switches are a dry run.
import { expect, type Page } from '@playwright/test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, organisation, send, PASSWORD } from '../newcomer.ts';
import { test } from '../own-server.ts';
import type { Server } from '../server.ts';
import { examine } from '../whole.ts';

// The first two machines that a dry run's first switch has, as an inventory knows them.
const MACHINES = `name,mac,ip,hypervisor
web-01,52:54:00:d0:01:01,10.1.2.3,hv-1
web-02,52:54:00:d0:01:02,10.1.2.4,hv-1
`;

const folder = mkdtempSync(join(tmpdir(), 'tocsin-mirrors-'));
test.afterAll(() => rmSync(folder, { recursive: true }));

function mirrors(file: string, more = ''): string {
  return `${organisation()}
[[sources]]
id = "list"
kind = "file"
address = "${file}"
every = "1s"

[mirrors]
${more}

[[mirrors.backends]]
id = "dry"
name = "Dry run"
kind = "dry_run"
source = "list"

[[mirrors.collectors]]
id = "capture"
name = "Capture host"
ip = "10.77.0.9"
`;
}

/** A server with machines, switches, a collector and an incident of the first machine. */
async function prepare(page: Page, server: Server, more = ''): Promise<void> {
  const file = join(folder, `${test.info().project.name}-${test.info().testId}.csv`);
  writeFileSync(file, MACHINES);
  await ask(page, server, 'PUT', 'config', { toml: mirrors(file, more) });
  await page.goto(`${server.url}/machines`);
  await expect(page.getByTestId('sources')).toContainText('2 VMs');
  const sender = await ask(page, server, 'POST', 'integrations', { name: 'falcon' });
  await send(page, server, sender.url, '[P1][PROBLEM][web-01][10.1.2.3][connections are reset]');
}

const one = (page: Page, id: number) => page.getByTestId(`mirror-${id}`);
/** The server looks at what a switch counts now and then. */
const COUNTED = { timeout: 60_000 };
const way = (page: Page) => page.getByTestId('mirror-path').locator('[aria-current="step"]');

test('nothing is mirrored where nothing is set up', async ({ page, server }) => {
  await page.goto(`${server.url}/mirrors`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Mirrors');
  await expect(page.getByText('Nothing can be mirrored yet')).toBeVisible();
  await examine(page, 'mirrors nothing set up');
  await page.goto(`${server.url}/mirrors/new?incident=1`);
  await expect(page.getByText('[[mirrors.backends]]')).toBeVisible();
  await page.goto(`${server.url}/mirrors/77`);
  await expect(page.getByRole('alert')).toBeVisible();
});

test('a mirror is described with the keyboard, begun, extended, stopped and proved stopped', async ({ page, server }) => {
  test.slow();
  await prepare(page, server);
  await page.goto(`${server.url}/mirrors`);
  await expect(page.getByText('No mirror is running')).toBeVisible();
  await expect(page.getByTestId('mirror-backends')).toContainText('Dry run');
  await expect(page.getByTestId('mirror-backends')).toContainText('No watchdog runs');
  await examine(page, 'mirrors none');

  await test.step('the page says what is missing, and follows what is typed', async () => {
    await page.goto(`${server.url}/mirrors/new?incident=1`);
    await expect(page.getByTestId('mirror-form')).toBeVisible();
    await expect(page.getByTestId('mirror-begin')).toBeDisabled();
    await examine(page, 'wizard empty');
    await page.locator('#mirror-find').focus();
    await page.keyboard.type('web-01');
    await page.keyboard.press('Enter');
    const found = page.getByTestId('mirror-found').getByRole('checkbox');
    await expect(found).toHaveCount(1);
    await found.focus();
    await page.keyboard.press('Space');
    await expect(page.getByTestId('mirror-picked')).toContainText('web-01');
    await expect(page.getByTestId('findings')).toContainText('M10');
    await page.getByRole('radio', { name: /Capture host/ }).focus();
    await page.keyboard.press('Space');
    await expect(page.locator('#mirror-session')).toHaveValue('1');
    await expect(page.getByTestId('findings')).toContainText('M20');
    await examine(page, 'wizard blocked');
    await page.locator('#mirror-session').fill('5000');
    await expect(page.locator('#said-transport-session')).not.toBeEmpty();
    await page.locator('#mirror-session').fill('7x');
    await expect(page.locator('#said-transport-session')).toContainText('That is no number');
    await page.locator('#mirror-session').fill('7');
    await page.locator('#mirror-reason').focus();
    await page.keyboard.type('Resets at the gateway');
    await expect(page.getByTestId('plan')).toBeVisible();
    await expect(page.getByRole('list', { name: /web-01, both ways, over ERSPAN II, session 7, to Capture host/ })).toBeVisible();
    await expect(page.getByTestId('mirror-load')).toContainText('bit/s');
    await examine(page, 'wizard ready');
  });

  await test.step('begun by keyboard, sent, read back, and seen to copy', async () => {
    await expect(page.getByTestId('mirror-begin')).toBeEnabled();
    await page.getByTestId('mirror-begin').focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/mirrors\/\d+$/);
    await expect(way(page)).toContainText('verified', COUNTED);
    await expect(page.getByTestId('mirror-state').first()).toHaveText('copies', COUNTED);
    await expect(page.getByTestId('evidence')).toContainText(/[1-9].* packets/);
    await expect(page.getByTestId('guide')).toContainText('erspan.spanid == 7');
    await expect(page.getByTestId('guide')).toContainText('0x88be');
    await examine(page, 'mirror active');
  });

  await test.step('listed with its countdown, extended and stopped at once', async () => {
    await page.goto(`${server.url}/mirrors`);
    await expect(one(page, 1)).toContainText('web-01');
    await expect(one(page, 1).getByTestId('countdown')).toContainText(/29:\d\d/);
    await expect(one(page, 1).getByTestId('mirror-numbers')).toContainText('bit/s');
    await examine(page, 'mirrors running');
    await one(page, 1).getByRole('button', { name: 'Extend mirror 1 by 15 minutes' }).click();
    await expect(one(page, 1).getByTestId('countdown')).toContainText(/4\d:\d\d/);
    await page.getByTestId('stop-1').click();
    const past = page.getByTestId('mirrors-past').getByRole('listitem');
    await expect(past).toContainText('proved stopped', { timeout: 60_000 });
    await expect(past).toContainText('packets');
    await examine(page, 'mirrors past');
    await past.getByRole('link', { name: 'Mirror 1' }).click();
    await expect(page.getByTestId('mirror-path').locator('.done').last()).toContainText('proved stopped');
    await examine(page, 'mirror proved');
  });
});

test('an incident leads to its traffic in two taps', async ({ page, server }) => {
  test.slow();
  await prepare(page, server);
  await page.goto(`${server.url}/incidents/1`);
  const traffic = page.getByTestId('traffic');
  await traffic.getByRole('button', { name: 'Mirror 30 min to capture' }).click();
  await expect(page.getByTestId('traffic-asked')).toContainText('Copies of web-01 (both ways) go to capture until');
  await examine(page, 'traffic asked');
  await page.getByTestId('traffic-begin').click();
  await expect(traffic.getByTestId('mirror-state')).toHaveText('copies', COUNTED);
  await expect(traffic.getByTestId('countdown')).toBeVisible();
  await expect(page.getByTestId('timeline')).toContainText(/mirror/i);
  await examine(page, 'traffic running');
  await traffic.getByRole('button', { name: 'Stop mirror 1 now' }).click();
  await expect(traffic).toContainText('1 earlier', { timeout: 60_000 });

  await test.step('and to the page with everything filled in', async () => {
    await traffic.getByRole('button', { name: 'Mirror 30 min to capture' }).click();
    await page.getByTestId('traffic-asked').getByRole('link', { name: 'Change it' }).click();
    await expect(page.locator('#mirror-incident')).toHaveValue('1');
    await expect(page.locator('#mirror-reason')).not.toHaveValue('');
    await expect(page.getByTestId('plan')).toBeVisible();
  });
});

test('a sensitive machine needs a second person, and one button ends everything', { tag: '@desktop' }, async ({ page, server, browser }) => {
  test.slow();
  await prepare(page, server, 'sensitive = ["name=web-01"]');
  await ask(page, server, 'POST', 'accounts', { login: 'wang', name: 'Wang Fang', role: 'network', person: null, password: PASSWORD });
  await page.goto(`${server.url}/mirrors/new?incident=1&mac=52:54:00:d0:01:01`);
  await page.getByRole('radio', { name: /Capture host/ }).check();
  await page.locator('#mirror-reason').fill('Resets at the gateway');
  await page.getByRole('button', { name: 'Ask for approval' }).click();
  await expect(page.getByTestId('mirror-state').first()).toHaveText('waits for a second person');
  await expect(page.getByText('somebody else must approve it')).toBeVisible();
  await examine(page, 'mirror planned');

  const context = await browser.newContext({ viewport: page.viewportSize() });
  const second = await context.newPage();
  await test.step('who looks at the plan first', async () => {
    await second.addInitScript(() => localStorage.setItem('tocsin.language', 'en'));
    await second.goto(`${server.url}/signin`);
    await second.getByTestId('signin-login').fill('wang');
    await second.getByTestId('signin-password').fill(PASSWORD);
    await second.getByTestId('signin-submit').click();
    await expect(second.getByTestId('connection')).toHaveText('Live');
    await second.goto(`${server.url}/mirrors`);
    await second.getByTestId('approve-1').click();
    await expect(second.getByRole('dialog')).toContainText('li wants to look at this traffic');
    await examine(second, 'approve');
    await second.getByTestId('approve-plan').click();
    await expect(one(second, 1).getByTestId('mirror-state')).toHaveText('copies', COUNTED);
  });

  await test.step('everything is stopped at once', async () => {
    await second.getByRole('button', { name: 'Stop every mirror on Dry run' }).click();
    await expect(second.getByRole('dialog')).toContainText('Of ours 1 run there now.');
    await examine(second, 'panic');
    await second.getByTestId('panic-do').click();
    await expect(second.getByTestId('mirrors-past')).toContainText('proved stopped', { timeout: 60_000 });
  });
  await context.close();
});

test('a page without a connection counts on, and a list that fails says so', { tag: '@desktop' }, async ({ page, server }) => {
  test.slow();
  await prepare(page, server);
  await page.goto(`${server.url}/incidents/1`);
  await page.getByTestId('traffic').getByRole('button', { name: 'Mirror 30 min to capture' }).click();
  await page.getByTestId('traffic-begin').click();
  await page.goto(`${server.url}/mirrors`);
  await expect(one(page, 1).getByTestId('mirror-state')).toHaveText('copies', COUNTED);
  await page.context().setOffline(true);
  await expect(one(page, 1)).toContainText('the server ends it all the same', { timeout: 60_000 });
  await expect(page.getByTestId('stop-1')).toBeDisabled();
  const before = await one(page, 1).getByRole('timer').textContent();
  await expect(one(page, 1).getByRole('timer')).not.toHaveText(before ?? '');
  await examine(page, 'mirrors offline');
  await page.context().setOffline(false);
  await expect(page.getByTestId('stop-1')).toBeEnabled({ timeout: 60_000 });

  await page.route('**/api/v1/mirrors', (route) => route.fulfill({ status: 503, json: { status: 503, code: 'unavailable', title: 'Not now', detail: '' } }));
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('Mirrors could not be loaded');
  await examine(page, 'mirrors failing');
});

test('the Chinese pages are whole', async ({ page, server }) => {
  await prepare(page, server);
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'zh'));
  await page.goto(`${server.url}/mirrors`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('端口镜像');
  await examine(page, 'mirrors zh');
  await page.goto(`${server.url}/mirrors/new?incident=1&mac=52:54:00:d0:01:01`);
  await expect(page.getByTestId('findings')).toContainText('M10');
  await examine(page, 'wizard zh');
});
