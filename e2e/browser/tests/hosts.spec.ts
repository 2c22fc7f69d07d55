// What hosts do, on screen: the board in its four forms, one host with charts for mouse, finger and keyboard, threshold
// rules with their trial, the host around an alert, and what is shown when nothing can be had.
import { expect, type Locator, type Page } from '@playwright/test';
import { measured, type Measured } from '../measured.ts';
import { ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const chart = (page: Page, id: string): Locator => page.getByTestId(`chart-${id}`);
const picture = (page: Page, id: string): Locator => chart(page, id).getByRole('slider');

/** Whether something is on a chart's canvas besides the axes that are there while it is loaded. */
async function isDrawn(of: Locator): Promise<boolean> {
  // Only what is in sight is asked for.
  await of.scrollIntoViewIfNeeded();
  if ((await of.getAttribute('aria-busy')) === 'true') return false;
  return of.locator('canvas').first().evaluate((canvas: HTMLCanvasElement) => {
    const context = canvas.getContext('2d');
    if (!context || canvas.width === 0) return false;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let painted = 0;
    for (let n = 3; n < data.length; n += 4) painted += data[n]! > 0 ? 1 : 0;
    return painted > canvas.width;
  });
}

/** What the page last told the server to tell of the host on screen. */
interface Look { series: string[]; fast: boolean }

function looks(page: Page): () => Look {
  let last: Look = { series: [], fast: false };
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => {
    const said = JSON.parse(String(payload));
    if (said.type === 'look' && said.host) last = said.host;
  }));
  return () => last;
}

/** The tab goes behind others, or comes back. */
async function turnTab(page: Page, visibilityState: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, visibilityState);
}

/** Measures once a second until something is true: what is looked at is told, nobody has to wait for a time. */
async function until(of: Measured, values: Record<string, number>, is: () => Promise<void>): Promise<void> {
  await expect(async () => {
    await of.say(values);
    await is();
  }).toPass({ timeout: 30_000 });
}

test('the board shows all hosts in four forms, and its address holds what was chosen', async ({ page, server }) => {
  test.slow();
  await test.step('without hosts it says how one comes here', async () => {
    await page.route('**/api/v1/hosts', (route) => route.request().method() === 'GET'
      ? route.fulfill({ json: { now: Date.now(), hosts: [], groups: [] } }) : route.fallback());
    await page.goto(`${server.url}/hosts`);
    const empty = page.getByTestId('hosts-empty');
    await expect(empty).toContainText('No host is measured yet.');
    await empty.getByLabel('Name of the host').fill('db-07');
    await page.getByTestId('host-token').click();
    const token = await page.getByTestId('host-token-made').textContent();
    await expect(empty.locator('pre')).toContainText(token!);
    await expect(empty.locator('pre')).toContainText('tocsin-agent --server');
    for (const way of ['Prometheus', 'Open-Falcon', 'node_exporter']) {
      await empty.getByRole('button', { name: way, exact: true }).click();
      await expect(empty.getByRole('button', { name: way, exact: true })).toHaveAttribute('aria-pressed', 'true');
    }
    await examine(page, 'hosts empty');
    await page.unroute('**/api/v1/hosts');
  });

  await ask(page, server, 'PUT', 'config', { toml: `${organisation()}\n[[host_groups]]\nid = "web"\nname = "Web servers"\nhosts = ["web-*"]\n` });
  const agents: Measured[] = [];
  for (const name of ['web-2', 'web-10', 'db-1']) agents.push(await measured(page, server, name, 60));
  await Promise.all(agents.map((agent) => agent.say()));

  await test.step('as tiles', async () => {
    await page.goto(`${server.url}/hosts`);
    const tiles = page.getByTestId('host-tiles');
    await expect(tiles.getByRole('link', { name: /^web-2/ })).toBeVisible();
    await expect(tiles.locator('.tile-spark path').first()).toHaveAttribute('d', /^M/);
    await examine(page, 'hosts tiles');
    await until(agents[0]!, { 'cpu.busy': 93 }, async () => {
      await expect(tiles.getByRole('link', { name: /^web-2/ })).toContainText('93 %', { timeout: 2_000 });
    });
  });

  await test.step('searched and grouped', async () => {
    await page.getByLabel('Name, address, group').fill('web');
    await expect(page.getByTestId('host-tiles').getByRole('link')).toHaveText([/^web-/, /^web-/]);
    await page.getByLabel('Group by').selectOption('group');
    await expect(page.getByRole('heading', { name: 'Web servers 2' })).toBeVisible();
    await expect(page).toHaveURL(/group=group&q=web/);
    await page.getByLabel('Name, address, group').fill('nothing like it');
    await page.getByRole('button', { name: 'Show all of them' }).click();
    await expect(page.getByTestId('host-tiles').getByRole('link', { name: /^db-1/ })).toBeVisible();
    await expect(page.getByLabel('Name, address, group')).toHaveValue('');
  });

  await test.step('as a table that any column sorts', async () => {
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    const rows = page.getByTestId('host-table').locator('tbody tr');
    await page.getByTestId('host-table').getByRole('button', { name: 'Host', exact: true }).click();
    await expect(page).toHaveURL(/sort=name/);
    await expect(rows.locator('th a').filter({ hasText: /^(web|db)-/ })).toHaveText(['db-1', 'web-2', 'web-10']);
    await page.getByTestId('host-table').getByRole('button', { name: 'CPU', exact: true }).click();
    await expect(page.getByRole('columnheader', { name: 'CPU' })).toHaveAttribute('aria-sort', 'descending');
    await examine(page, 'hosts table');
  });

  await test.step('as a honeycomb that arrows walk through', async () => {
    await page.getByRole('button', { name: 'Honeycomb' }).click();
    const cells = page.getByTestId('host-comb').getByRole('link');
    await expect(cells.first()).toBeVisible();
    await cells.first().focus();
    // The server is a host too: db-1, itself, web-2 and web-10.
    await page.keyboard.press('End');
    await expect(cells.last()).toBeFocused();
    await page.keyboard.press('ArrowLeft');
    const web = page.getByTestId('host-comb').getByRole('link', { name: /^web-2:/ });
    await expect(web).toBeFocused();
    // By name, whatever is busiest; and the cell stays where it is when its host says something.
    await until(agents[0]!, { 'cpu.busy': 97 }, async () => {
      await expect(web).toHaveAttribute('aria-label', /97 %/, { timeout: 2_000 });
    });
    await expect(web).toBeFocused();
    await expect(cells.first()).toHaveAttribute('aria-label', /^db-1:/);
    await expect(cells.last()).toHaveAttribute('aria-label', /^web-10:/);
    await expect(page.getByTestId('comb-legend')).toContainText(/calm \d/);
    await examine(page, 'hosts honeycomb');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/hosts\/one\?name=/);
    await page.goBack();
  });

  await test.step('as small charts of one metric, the worst first', async () => {
    await page.getByRole('button', { name: 'Charts', exact: true }).click();
    const charts = page.getByTestId('host-multiples').locator('.multiples a');
    await page.getByLabel('Metric', { exact: true }).selectOption('disk.io.util');
    await expect(page).toHaveURL(/metric=disk.io.util/);
    await expect(charts.filter({ hasText: 'db-1' })).toContainText('12 %');
    await expect.poll(() => isDrawn(charts.filter({ hasText: 'db-1' }))).toBe(true);
    await examine(page, 'hosts charts');
  });
});

test('a host is seen second by second, by mouse, finger and keyboard', async ({ page, server }) => {
  test.slow();
  const agent = await measured(page, server, 'web-1');
  await agent.say();
  const look = looks(page);
  await page.goto(`${server.url}/hosts/one?name=web-1`);
  const strip = page.getByTestId('host-strip');
  await expect(strip).toContainText('6.1.0-26-amd64');
  await expect(strip).toContainText('3 GiB of 8 GiB');
  await expect(strip).toContainText('await 1.5 ms');
  await expect(strip).toContainText(/eth0\s*↓ [\d.]+ Mbit\/s ↑ 9 Mbit\/s/);
  await expect.poll(() => isDrawn(chart(page, 'cpu'))).toBe(true);
  await expect(page.getByTestId('host-processes')).toContainText('nginx');
  await expect(page.getByTestId('host-cgroups')).toContainText('480 of 512');
  await page.getByText('What TIME_WAIT is').click();
  await expect(page.getByTestId('host-peers')).toContainText('net.ipv4.tcp_tw_reuse');
  await examine(page, 'host');

  await test.step('with keys: a cursor in every chart, zoom, and a table', async () => {
    const cpu = picture(page, 'cpu');
    await expect.poll(() => isDrawn(chart(page, 'load'))).toBe(true);
    await cpu.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await expect(cpu).toHaveAttribute('aria-valuetext', /^\d\d:\d\d:\d\d, user [\d.]+ %(, at most [\d.]+ %)?, system 4 %/);
    await expect(picture(page, 'load')).toHaveAttribute('aria-valuetext', /^\d\d:\d\d:\d\d, load, 1 min/);
    await page.keyboard.press('+');
    await expect(page).toHaveURL(/from=\d+&until=\d+/);
    await expect(page.getByTestId('host-zoomed')).toContainText(' to ');
    await cpu.focus();
    await page.keyboard.press('0');
    await expect(page).not.toHaveURL(/from=/);
    await cpu.focus();
    await page.keyboard.press('t');
    const table = page.getByRole('region', { name: 'Table of CPU' });
    await expect(table).toBeFocused();
    await expect(table).toContainText('user');
    await expect(table.locator('tbody th').first()).toHaveText(/^\d\d:\d\d:\d\d$/);
    await examine(page, 'host table');
    await page.getByTestId('host-ranges').getByRole('button', { name: '7 d' }).click();
    await expect(table.locator('tbody th').first()).not.toHaveText(/^\d\d:\d\d:\d\d$/);
    await page.getByTestId('host-ranges').getByRole('button', { name: '1 h', exact: true }).click();
    await table.focus();
    await page.keyboard.press('t');
    await expect(cpu).toBeFocused();
  });

  await test.step('what has no chart is drawn when it is picked', async () => {
    await page.locator('#host-series').selectOption('queue.length/name=mails');
    await expect(page).toHaveURL(/series=queue.length/);
    const picked = chart(page, 'picked-queue-length-name-mails');
    await expect.poll(() => isDrawn(picked)).toBe(true);
    await expect(picked).toContainText('mails queue.length');
    await page.getByRole('button', { name: 'No longer draw queue.length/name=mails' }).click();
    await expect(page).not.toHaveURL(/series=/);
  });

  await test.step('live: what is measured is there at once', async () => {
    await page.getByTestId('host-ranges').getByRole('button', { name: 'Live' }).click();
    await expect(page).toHaveURL(/range=live/);
    await chart(page, 'load').scrollIntoViewIfNeeded();
    await until(agent, { 'load.1min': 17.31 }, async () => {
      await expect(chart(page, 'load').locator('.chart-legend')).toContainText('17.3', { timeout: 2_000 });
      // What the chart asked for may have been measured before the page was told of anything.
      await expect(strip).toContainText('17.3', { timeout: 2_000 });
    });
  });

  await test.step('live: what was scrolled away has no hole when it comes back', async () => {
    const tcp = chart(page, 'tcp');
    await tcp.scrollIntoViewIfNeeded();
    await expect.poll(() => look().series).toContain('ss.timewait');
    await page.getByRole('heading', { level: 1 }).scrollIntoViewIfNeeded();
    await expect.poll(() => look().series).not.toContain('ss.timewait');
    await agent.say({ 'ss.timewait': 777 });
    await tcp.scrollIntoViewIfNeeded();
    await tcp.getByRole('button', { name: /^Table of/ }).click();
    await expect(tcp.getByRole('region')).toContainText('777');
  });

  await test.step('live: nobody is measured each second for a tab that is not seen', async () => {
    await expect.poll(() => look().fast).toBe(true);
    await turnTab(page, 'hidden');
    await expect.poll(() => look().fast).toBe(false);
    const asked = page.waitForRequest((it) => it.url().endsWith('/api/v1/hosts/series'));
    await turnTab(page, 'visible');
    await asked;
    await expect.poll(() => look().fast).toBe(true);
  });
});

test('dragging over a stretch zooms to it, and a double click goes back @desktop', async ({ page, server }) => {
  const agent = await measured(page, server, 'web-1');
  await agent.say();
  await page.goto(`${server.url}/hosts/one?name=web-1`);
  await expect.poll(() => isDrawn(chart(page, 'cpu'))).toBe(true);
  const box = (await picture(page, 'cpu').boundingBox())!;
  await page.mouse.move(box.x + box.width / 3, box.y + 60);
  await expect(picture(page, 'load')).toHaveAttribute('aria-valuetext', /^\d\d:\d\d:\d\d, /);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=\d+&until=\d+/);
  await picture(page, 'cpu').dblclick();
  await expect(page).not.toHaveURL(/from=/);
});

test('a finger on a chart scrolls the page, and a tap points @phone', async ({ page, server }) => {
  const agent = await measured(page, server, 'web-1', 20);
  await agent.say({ 'load.1min': 17.31 });
  await page.goto(`${server.url}/hosts/one?name=web-1`);
  await expect.poll(() => isDrawn(chart(page, 'cpu'))).toBe(true);
  const cpu = picture(page, 'cpu');
  await cpu.scrollIntoViewIfNeeded();
  const box = (await cpu.boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const [x, from] = [box.x + box.width / 2, box.y + box.height / 2];
  const finger = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...ys: number[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: ys.map((y) => ({ x, y })) });
  await finger('touchStart', from);
  for (let up = 15; up <= 300; up += 15) await finger('touchMove', from - up);
  await finger('touchEnd');
  await expect.poll(async () => (await cpu.boundingBox())!.y).toBeLessThan(box.y - 150);
  const legend = chart(page, 'load').locator('.chart-legend');
  await expect.poll(() => isDrawn(chart(page, 'load'))).toBe(true);
  await expect(legend).toContainText('17.3');
  await expect(cpu).not.toHaveAttribute('aria-valuetext');
  const load = picture(page, 'load');
  await load.scrollIntoViewIfNeeded();
  // The past of twenty minutes is the right third of an hour.
  const { width } = (await load.boundingBox())!;
  await load.tap({ position: { x: width * 0.8, y: 80 } });
  await expect(load).toHaveAttribute('aria-valuetext', /^\d\d:\d\d:\d\d, load, 1 min 1[.\d]* *,/);
  await expect(legend).not.toContainText('17.3');
  await chart(page, 'load').getByRole('heading').tap();
  await expect(legend).not.toContainText('17.3');
  await page.getByTestId('host-strip').locator('h2').last().tap();
  await expect(legend).toContainText('17.3');
});

test('a rule is read back, tried on the past and put in force', async ({ page, server }) => {
  test.slow();
  const template = '\n[[host_groups]]\nid = "web"\nhosts = ["web-*"]\n\n[[templates]]\nid = "base"\nname = "Base"\ngroups = ["web"]\n';
  await ask(page, server, 'PUT', 'config', { toml: organisation() + template });
  const busy = await measured(page, server, 'web-1', 60, { 'cpu.idle': (ago) => (ago > 20 && ago < 40 ? 2 : 70) });
  await busy.say();
  await page.goto(`${server.url}/hosts/rules`);
  await expect(page.getByTestId('template-base')).toContainText('Base');
  await page.getByRole('button', { name: 'New rule' }).click();
  const form = page.getByTestId('rule-form');
  await form.locator('#rule-when').fill('all(#3) cpu.idle');
  await expect(page.getByTestId('rule-reads')).toContainText('cannot be read');
  await form.locator('#rule-when').fill('all(#3) cpu.idle < 5');
  await expect(page.getByTestId('rule-reads')).toHaveText('It reads: CPU idle is below 5 % in each of the newest 3 samples.');
  await form.locator('#rule-clear').fill('all(#3) cpu.idle > 15');
  await form.locator('#rule-hold').fill('half');
  await expect(form.getByRole('alert').filter({ hasText: 'Write a length' })).toBeVisible();
  await form.locator('#rule-hold').fill('1m');
  await page.getByTestId('rule-try').click();
  await expect(page.getByTestId('rule-trial')).toContainText('1 alert from 1 series of 1 host. People would have been told');
  await expect(page.getByRole('img', { name: 'web-1: 1 alert' })).toBeVisible();
  await form.locator('#rule-hold').fill('2m');
  await expect(page.getByTestId('rule-trial')).not.toContainText('1 alert');
  await form.locator('#rule-hold').fill('1m');
  await page.getByTestId('rule-try').click();
  await expect(page.getByTestId('rule-trial')).toContainText('1 alert');
  await examine(page, 'host rule');
  await page.getByTestId('rule-save').click();
  await expect(page.getByTestId('template-base')).toContainText('all(#3) cpu.idle < 5');
  await expect(page.getByTestId('template-base')).toContainText('for 1 min');
  await examine(page, 'host rules');
  await page.getByRole('button', { name: 'Change all(#3) cpu.idle < 5' }).click();
  await form.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByTestId('template-base')).not.toContainText('cpu.idle');
});

test('an incident shows its host around the alert', async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  const agent = await measured(page, server, 'web-1');
  await agent.say();
  // Of the same address: the incident is of both.
  await (await measured(page, server, 'web-2', 20)).say();
  const sender = await ask(page, server, 'POST', 'integrations', { name: 'falcon' });
  await send(page, server, sender.url, '[P1][PROBLEM][web-1][10.9.0.7][load is high]');
  await page.goto(`${server.url}/incidents/1`);
  const around = page.getByTestId('around');
  await expect(around).toContainText('The host around the alert');
  await around.scrollIntoViewIfNeeded();
  await expect.poll(() => isDrawn(chart(page, 'cpu'))).toBe(true);
  await expect(picture(page, 'cpu')).toHaveAccessibleDescription(/^CPU: user/);
  await examine(page, 'incident host');
  const menu = around.getByLabel('Host', { exact: true });
  await menu.selectOption('web-2');
  await expect(around.getByRole('heading', { level: 2 })).toContainText('web-2');
  await expect(menu).toHaveValue('web-2');
  await expect(around.getByRole('link', { name: 'Open the host' })).toHaveAttribute('href', /name=web-2/);
  await menu.selectOption('web-1');
  await expect(around.getByRole('heading', { level: 2 })).toContainText('web-1');
  await around.getByLabel('Live, once a second').check();
  await chart(page, 'load').scrollIntoViewIfNeeded();
  await until(agent, { 'load.1min': 17.31 }, async () => {
    await expect(chart(page, 'load').locator('.chart-legend')).toContainText('17.3', { timeout: 2_000 });
  });
  await around.getByRole('link', { name: 'Open the host' }).click();
  await expect(page).toHaveURL(/\/hosts\/one\?name=web-1/);
});

test('what cannot be had is said, and what is known stays', async ({ page, server, context }) => {
  const agent = await measured(page, server, 'web-1', 20);
  await agent.say();
  await page.route('**/api/v1/hosts/series', (route) => route.abort());
  await page.goto(`${server.url}/hosts/one?name=web-1`);
  await chart(page, 'cpu').scrollIntoViewIfNeeded();
  await expect(page.getByRole('alert')).toContainText('Hosts');
  await expect(page.getByTestId('host-strip')).toContainText('6.1.0-26-amd64');
  await examine(page, 'host failing');
  await page.unroute('**/api/v1/hosts/series');
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => isDrawn(chart(page, 'cpu'))).toBe(true);
  await context.setOffline(true);
  await expect(page.getByTestId('connection')).not.toHaveText('Live', { timeout: 60_000 });
  await expect(page.getByTestId('host-strip')).toContainText('3 GiB of 8 GiB');
  await expect(page.getByTestId('host-strip')).toHaveClass(/\bold\b/);
  await context.setOffline(false);

  await page.goto(`${server.url}/hosts/one?name=nobody`);
  await expect(page.getByRole('alert')).toBeVisible();
});

test('the Chinese pages are whole', async ({ page, server }) => {
  const agent = await measured(page, server, 'web-1', 20);
  await agent.say();
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'zh'));
  await page.goto(`${server.url}/hosts`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('主机监控');
  await expect(page.getByRole('link', { name: /^web-1/ })).toBeVisible();
  await examine(page, 'hosts zh');
  await page.goto(`${server.url}/hosts/one?name=web-1`);
  await expect(page.getByTestId('host-strip')).toContainText('内存');
  await examine(page, 'host zh');
});
