// The routing tree is edited in the browser: checked as one types by the engine itself, tried on a message and on what
// came in, and put in force. Against a server of its own.
import { expect, type Page } from '@playwright/test';
import { PASSWORD, ask, organisation, send } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const tree = `
[[people]]
id = "chen"
name = "Chen Hua"
contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }]
[[integrations]]
id = "checks"
name = "Checks"
[[time_windows]]
id = "office"
time_zone = "Europe/Berlin"
windows = [{ days = ["mon..fri"], from = "09:00", until = "18:00" }]
[[policies]]
id = "dba"
levels = [{ notify = ["person:chen"], delay = "5m" }]
[[routes]]
id = "databases"
match = ['host=~"db-.*"', "severity!=P6"]
policy = "dba"
severity = "P1"
hold = "2m"
stale_after = "30m"
group = { by = ["labels.cluster"], window = "10m" }
annotations = { runbook = "https://wiki.example.org/db" }
[[routes.routes]]
id = "notes"
match = ["summary=~note.*"]
continue = true
[[routes]]
id = "rest"
policy = "everything"
[[routes]]
id = "never"
match = ["severity=P4"]
policy = "everything"
`;

/** The organisation with that tree in the place of its one route. */
const configuration = () => organisation().replace(/\[\[routes\]\][^]*$/, '') + tree;

const node = (page: Page, id: string) => page.getByTestId(`route-${id}`);
const form = (page: Page) => page.getByTestId('route-form');
const bar = (page: Page) => page.getByTestId('routes-bar');
const trial = (page: Page) => page.getByTestId('routes-trial');
const replay = (page: Page) => page.getByTestId('routes-replay');

async function order(page: Page): Promise<string[]> {
  const nodes = page.locator('[data-testid="routes-tree"] > .tree > li > .tree-node');
  return nodes.locator(':scope > strong, :scope > .tree-words > strong').allTextContents();
}

test('a tree is read, changed, tried on a message and on the past, and applied', async ({ page, server }) => {
  test.slow();
  await ask(page, server, 'PUT', 'config', { toml: configuration() });
  const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'checks' });
  await send(page, server, ingest, '[P0][PROBLEM][db-07][10.1.2.3][host is down]');
  await send(page, server, ingest, '[P2][PROBLEM][web-1][10.1.2.4][slow]');
  await page.goto(`${server.url}/routes`);

  await test.step('each route says what it asks, what it does, what it took and what is wrong with it', async () => {
    await expect(node(page, 'databases')).toContainText('host matches db-.*');
    await expect(node(page, 'databases')).toContainText('severity is not P6');
    await expect(node(page, 'databases')).toContainText('waits 2 min for a recovery');
    await expect(node(page, 'databases')).toContainText('incidents in 7 days: 1, pages: 0');
    await expect(node(page, 'notes')).toContainText('goes on asking');
    await expect(node(page, 'never')).toContainText('never asked: route `rest` before it matches everything');
    await expect(page.locator('.tree-rest')).toContainText('page the fallback (Li Wei)');
    await expect(bar(page)).toHaveCount(0);
    await examine(page, 'routes');
  });

  await test.step('moved by keyboard, the finding is gone and the focus stays', async () => {
    const up = page.getByRole('button', { name: 'Move never up' });
    await up.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => order(page)).toEqual(['databases', 'never', 'rest', 'Everything else']);
    await expect(page.getByRole('button', { name: 'Move never up' })).toBeFocused();
    await expect(node(page, 'never')).not.toContainText('never asked');
    await expect(bar(page)).toBeVisible();
  });

  await test.step('a route is added; what is wrong is said at its field while one types', async () => {
    await page.getByRole('button', { name: 'Edit route databases' }).click();
    await form(page).getByRole('button', { name: 'Add after it' }).click();
    await expect(page.locator('#route-id')).toHaveValue('route1');
    await page.locator('#route-id').fill('web');
    await page.getByLabel('Field of condition 1').fill('ip');
    await page.getByLabel('Comparison of condition 1').selectOption({ label: 'in' });
    await page.getByLabel('Value of condition 1').fill('nowhere');
    await expect(form(page).getByRole('alert')).toContainText('`nowhere` is not a network');
    await page.getByLabel('Value of condition 1').fill('10.1.2.4');
    await expect(form(page).getByRole('alert')).toHaveCount(0);
    await form(page).getByRole('button', { name: 'Add a condition' }).click();
    await page.getByLabel('Field of condition 2').fill('time');
    await expect(page.getByLabel('Comparison of condition 2')).toHaveValue('in');
    await page.getByLabel('Value of condition 2').fill('office');
    await expect(node(page, 'route1')).toContainText('time in office');
    await page.getByRole('button', { name: 'Remove condition 2' }).click();
    await page.locator('#route-policy').selectOption('dba');
    await page.locator('#route-severity').selectOption('P0');
    await form(page).locator('summary').click();
    await page.locator('#route-stale-after').fill('10s');
    await expect(form(page).getByRole('alert')).toContainText('stale after 1m to 366d');
    await page.locator('#route-stale-after').fill('20m');
    await page.locator('#route-stale').selectOption('resolve');
    await expect(form(page).getByRole('alert')).toHaveCount(0);
  });

  await test.step('a message is tried against the draft and against what is in force', async () => {
    await trial(page).getByLabel('Message').fill('[P2][PROBLEM][web-1][10.1.2.4][slow]');
    await trial(page).locator('#trial-sender').selectOption('checks');
    await trial(page).getByRole('button', { name: 'Try it' }).click();
    const trace = page.getByTestId('trial-trace');
    await expect(trace.locator('li').first()).toContainText('databases');
    await expect(trace.locator('li.yes')).toContainText('web → dba');
    await expect(page.getByTestId('trial-facts')).toContainText('after 20 min (route web)');
    await expect(page.getByTestId('gantt')).toContainText('Chen Hua');
    await examine(page, 'routes tried');
    await trial(page).getByRole('button', { name: 'In force' }).click();
    await expect(trace.locator('li.yes')).toContainText('rest → everything');
    await expect(page.getByTestId('gantt')).toContainText('Li Wei');
    await trial(page).getByLabel('Message').fill('[P0][OK][db-07][10.1.2.3][host is down]');
    await trial(page).getByRole('button', { name: 'Try it' }).click();
    await expect(page.getByTestId('trial-result')).toContainText('A recovery is not routed');
  });

  await test.step('the past is replayed: who is paged more and less, linked to what it was about', async () => {
    await replay(page).getByRole('button', { name: '1 d' }).click();
    await replay(page).getByRole('button', { name: 'Run' }).click();
    await expect(page.getByTestId('replay-result')).toContainText('Whatever paged somebody still would.');
    await expect(page.getByTestId('replay-people')).toContainText('Chen Hua');
    await page.getByTestId('replay-result').getByText('Pages that would not be made: 1').click();
    await expect(page.getByTestId('replay-result').getByRole('link', { name: 'web-1 slow' }).first()).toHaveAttribute('href', '/incidents/2');
  });

  await test.step('what would be lost comes first', async () => {
    await page.locator('#route-policy').selectOption('');
    await expect(page.getByTestId('replay-result')).toContainText('before your last change');
    await expect(bar(page).getByRole('button', { name: 'Apply' })).toBeDisabled();
    await page.locator('#route-severity').selectOption('P3');
    await replay(page).getByRole('button', { name: 'Run' }).click();
    await expect(page.getByTestId('replay-lost')).toContainText('1 alert that paged somebody would page nobody');
    await expect(page.getByTestId('replay-lost').getByRole('link', { name: 'web-1 slow' })).toHaveAttribute('href', '/incidents/2');
    await examine(page, 'routes lost');
    await page.locator('#route-policy').selectOption('dba');
  });

  await test.step('somebody else was faster: nothing is overwritten', async () => {
    await ask(page, server, 'PUT', 'config', { toml: `# newer\n${configuration()}` });
    await page.getByTestId('routes-looked').check();
    await bar(page).getByRole('button', { name: 'Apply' }).click();
    await expect(bar(page)).toContainText('Load it again');
    await bar(page).getByRole('button', { name: 'Discard' }).click();
    await expect(bar(page)).toHaveCount(0);
    await expect.poll(() => order(page)).toEqual(['databases', 'rest', 'never', 'Everything else']);
  });

  await test.step('applied, it is in force, and the rest of the document is as it was', async () => {
    await page.getByRole('button', { name: 'Edit route never' }).click();
    await form(page).getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(node(page, 'never')).toHaveCount(0);
    await page.getByTestId('routes-looked').check();
    await bar(page).getByRole('button', { name: 'Apply' }).click();
    await expect(bar(page)).toHaveCount(0);
    const { toml } = await ask(page, server, 'GET', 'config');
    expect(toml).not.toContain('id = "never"');
    expect(toml).toContain('# newer');
    expect(toml).toContain('stale_after = "30m"');
  });
});

test('without routes the page says what then happens, and in Chinese too', async ({ page, server }) => {
  await page.goto(`${server.url}/routes`);
  await expect(page.getByTestId('routes-tree')).toContainText('everything goes to the fallback');
  await examine(page, 'routes none');
  await page.getByRole('button', { name: 'Add a route' }).first().click();
  await expect(page.locator('#route-id')).toHaveValue('route1');
  await page.evaluate(() => localStorage.setItem('tocsin.language', 'zh'));
  await ask(page, server, 'PUT', 'config', { toml: configuration() });
  await page.reload();
  await expect(node(page, 'databases')).toContainText('host 匹配 db-.*');
  await expect(node(page, 'databases')).toContainText('等待恢复');
  await expect(node(page, 'never')).toContainText('never asked');
  await examine(page, 'routes chinese');
});

test('whoever may only look tries a message by what is in force', { tag: '@desktop' }, async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: configuration() });
  const account = { login: 'eve', name: 'Eve', role: 'viewer', person: null, password: PASSWORD };
  await ask(page, server, 'POST', 'accounts', account);
  await ask(page, server, 'POST', 'integrations', { name: 'checks' });
  await ask(page, server, 'POST', 'session', { login: 'eve', password: PASSWORD });
  await page.goto(`${server.url}/routes`);
  await expect(trial(page).getByRole('button', { name: 'The draft' })).toHaveCount(0);
  await trial(page).getByLabel('Message').fill('[P2][PROBLEM][db-07][10.1.2.3][slow]');
  await trial(page).locator('#trial-sender').selectOption('checks');
  await trial(page).getByRole('button', { name: 'Next 03:12' }).click();
  await trial(page).getByRole('button', { name: 'Try it' }).click();
  const trace = page.getByTestId('trial-trace');
  await expect(trace.locator('li.yes').first()).toContainText('databases → dba');
  await expect(page.getByTestId('trial-result')).toContainText('03:12');
  // The route waits two minutes for a recovery.
  await expect(page.getByTestId('gantt')).toContainText('Chen Hua');
  await page.getByTestId('gantt-table').locator('summary').click();
  await expect(page.getByTestId('gantt-table').getByRole('row').nth(1)).toContainText('03:14');
  await examine(page, 'routes viewer');
  await page.route('**/api/v1/rehearsal', (route) => route.abort(), { times: 1 });
  await trial(page).getByRole('button', { name: 'Try it' }).click();
  await expect(trial(page).getByRole('alert')).toBeVisible();
  const { items } = await ask(page, server, 'GET', 'events');
  expect(items).toEqual([]);
});

test('a tree that does not load says so, and is asked for again', { tag: '@desktop' }, async ({ page, server }) => {
  await page.route('**/api/v1/config/document', (route) => route.fulfill({ status: 500, body: '{}' }), { times: 1 });
  await page.goto(`${server.url}/routes`);
  await expect(page.getByRole('alert')).toBeVisible();
  await examine(page, 'routes failed');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('routes-tree')).toBeVisible();
});
