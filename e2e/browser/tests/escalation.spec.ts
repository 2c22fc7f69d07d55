// Who must answer, who is asked to help, what waits for somebody's morning, and which version of a policy an incident runs by.
import { expect, test } from '@playwright/test';
import { ask, send, setUp } from '../newcomer.ts';
import { start } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

/** Chen sleeps all day but for a minute. */
const organisation = (lastLevel: string) => `
fallback = ["person:li"]
channels.webhook = { allow_networks = ["127.0.0.0/8"], allow_http = true }
people = [
  { id = "li", name = "Li Wei", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }] },
  { id = "zhao", name = "Zhao Min", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }] },
  { id = "chen", name = "Chen", time_zone = "Asia/Shanghai", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }], quiet_hours = { times = [{ from = "00:01", until = "00:00" }] } },
]
schedules = [{ id = "net", name = "Network duty", time_zone = "UTC", rotations = [{ people = ["zhao"], handoff = "09:00", start = "2026-01-05" }] }]
time_windows = [{ id = "office", time_zone = "Asia/Shanghai", windows = [{ days = ["mon..fri"], from = "09:00", until = "18:00" }] }]
policies = [
  { id = "all", levels = [{ notify = ["person:li", "person:zhao"], delay = "2h", everyone = true, ack_timeout = "1h" }, ${lastLevel}] },
  { id = "calm", levels = [{ notify = ["person:chen"], delay = "5m" }] },
]
routes = [{ id = "urgent", match = ["severity=P0"], policy = "all" }, { id = "rest", policy = "calm" }]
`;
const one = '{ notify = ["schedule:net"], delay = "5m", round_robin = true, when = { severity = ["P0"], except = ["office"] } }';
const other = '{ notify = ["person:li"], delay = "5m" }';

test('everybody must answer, help is asked for, and a newer policy is taken up', async ({ page }) => {
  const server = await start(program!);
  try {
    await narrowPhone(page);
    await setUp(page, server);
    const { url: ingest } = await ask(page, server, 'POST', 'integrations', { name: 'Scripts' });
    await ask(page, server, 'PUT', 'config', { toml: organisation(one) });
    const post = (data: string) => send(page, server, ingest, data);
    await post('[P0][PROBLEM][db-07][10.1.2.3][host is down]');
    await post('[P2][PROBLEM][db-08][10.1.2.4][disk is filling]');

    await page.goto(`${server.url}/policies`);
    await expect(page.getByText('everybody must answer · an acknowledgement holds 1 h 00')).toBeVisible();
    await expect(page.getByText('one of them, in turn · only for P0 · not during office')).toBeVisible();
    await examine(page, 'policies with conditions');

    await page.goto(`${server.url}/incidents/1`);
    await expect(page.getByTestId('everyone')).toHaveText('All of Li Wei, Zhao Min must answer');
    await expect(page.getByTestId('policies')).toContainText('policy all, version 1');
    await expect(page.getByTestId('apply-policy')).toHaveCount(0);
    await page.keyboard.press('d');
    await expect(page.getByRole('button', { name: /Network duty/ })).toContainText('Zhao Min');
    await examine(page, 'add responders');
    await page.getByRole('button', { name: /Network duty/ }).click();
    await expect(page.getByText('Asked for help: schedule:net → Zhao Min')).toBeVisible();

    // One answer of two.
    await page.getByRole('button', { name: /^Ack\b/ }).first().click();
    await expect(page.getByTestId('everyone')).toHaveText('Li Wei answered; Zhao Min must answer too');
    await expect(page.getByTestId('state')).toHaveText('Open');

    await ask(page, server, 'PUT', 'config', { toml: organisation(other) });
    await page.reload();
    await expect(page.getByTestId('policies')).toContainText('version 1 (changed in version 2)');
    await examine(page, 'a newer policy');
    await page.getByTestId('apply-policy').click();
    await expect(page.getByTestId('policies')).toHaveText('policy all, version 2');
    await expect(page.getByTestId('apply-policy')).toHaveCount(0);

    // Chen sleeps: the page is there, with its time and its reason.
    await page.goto(`${server.url}/incidents/2`);
    await expect(page.getByTestId('swimlane')).toContainText('it waits for the end of their quiet hours');
    await expect(page.getByTestId('why')).toContainText('it waits for the end of their quiet hours');
    await examine(page, 'a page that waits');
  } finally {
    await server.stop();
  }
});
