// The calendar of a schedule: what it shows, and everything that is done with it, with the mouse, by keyboard and with a
// finger, by those who may. TOCSIN_BIN names the server, which is given an organisation of its own.
import { expect, test, type Browser, type Page } from '@playwright/test';
import { PASSWORD } from '../newcomer.ts';
import { start, type Server } from '../server.ts';
import { examine, narrowPhone } from '../whole.ts';

const program = process.env.TOCSIN_BIN;
test.skip(!program || !!process.env.TOCSIN_PATH_URL, 'TOCSIN_BIN names no server to start');

const ZONE = 'Europe/Berlin';
const DAY = 86_400_000;

/** The date in Berlin so many days from now. */
const dateIn = (days: number): string => new Date(Date.now() + days * DAY).toLocaleDateString('sv-SE', { timeZone: ZONE });
const weekday = (date: string): number => new Date(`${date}T12:00Z`).getUTCDay();
/** The Monday of next week, so that every day of it is still to come. */
const MONDAY = dateIn(8 - (weekday(dateIn(0)) || 7));
const plus = (date: string, days: number): string => new Date(Date.parse(`${date}T12:00Z`) + days * DAY).toISOString().slice(0, 10);
/** The day on which the clocks of Berlin go forward next. */
const SPRING = (() => {
  const year = Number(dateIn(0).slice(0, 4));
  const sunday = (y: number): string => [31, 30, 29, 28, 27, 26, 25].map((d) => `${y}-03-${d}`).find((d) => weekday(d) === 0)!;
  return sunday(year) > dateIn(1) ? sunday(year) : sunday(year + 1);
})();

// Nights by the day, weekdays by the week, and nobody on Saturdays and Sundays between 08:00 and 20:00.
const ORGANISATION = `
fallback = ["person:li"]
channels.webhook = { allow_networks = ["127.0.0.0/8"], allow_http = true }
people = [
  { id = "li", name = "Li Wei", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }] },
  { id = "zhang", name = "张敏 Zhang Min", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }] },
  { id = "anna", name = "Anna Berg", contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/" }] },
]
holidays = [{ id = "house", dates = ["${plus(MONDAY, 2)}"] }]

[[schedules]]
id = "db"
name = "Database duty"
time_zone = "${ZONE}"
holidays = ["house"]
temporary = [{ from = "${plus(MONDAY, 7)} 08:00", until = "${plus(MONDAY, 7)} 20:00", note = "Move of the data centre", shifts = [{ person = "anna", from = "${plus(MONDAY, 7)} 08:00", until = "${plus(MONDAY, 7)} 20:00" }] }]
[[schedules.layers]]
id = "nights"
precedence = 10
rotations = [{ people = ["li", "anna"], every = "day", handoff = "20:00", start = "2025-01-06", restrict = [{ from = "20:00", until = "08:00" }] }]
[[schedules.layers]]
id = "days"
rotations = [{ people = ["zhang", "li"], every = "week", handoff = "08:00", start = "2025-01-06", restrict = [{ days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", until = "20:00" }] }]

[[schedules]]
id = "spare"
name = "Spare"
time_zone = "UTC"
rotations = [{ people = ["anna"], every = "week", handoff = "09:00", start = "2099-01-05" }]

[[policies]]
id = "everything"
levels = [{ notify = ["schedule:db"], delay = "5m" }]

[[routes]]
id = "everything"
policy = "everything"
`;

type Cookies = Awaited<ReturnType<ReturnType<Page['context']>['cookies']>>;
const cookies: Record<string, Cookies> = {};
let server: Server;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  server = await start(program!);
  const [, link] = await server.said(/first administrator: (\S+)/);
  const code = new URL(link).searchParams.get('code');
  const context = await browser.newContext();
  const send = async (method: string, path: string, data: unknown) => {
    const answer = await context.request.fetch(`${server.url}/api/v1/${path}`, { method, data });
    expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
  };
  await send('POST', 'setup', { code, login: 'root', name: 'Root', password: PASSWORD });
  await send('PUT', 'config', { toml: ORGANISATION });
  for (const [login, role, person] of [['li', 'responder', 'li'], ['zhang', 'responder', 'zhang'], ['eve', 'viewer', null]]) {
    await send('POST', 'accounts', { login, name: login, role, person, password: PASSWORD });
  }
  cookies.root = await context.cookies();
  await context.close();
  for (const login of ['li', 'zhang', 'eve']) cookies[login] = await signIn(browser, login);
});

test.afterAll(async () => await server?.stop());

async function signIn(browser: Browser, login: string): Promise<Cookies> {
  const context = await browser.newContext();
  const answer = await context.request.post(`${server.url}/api/v1/session`, { data: { login, password: PASSWORD } });
  expect(answer.ok(), await answer.text()).toBe(true);
  const found = await context.cookies();
  await context.close();
  return found;
}

/** A page of the calendar, and what goes wrong in it. */
async function open(page: Page, who: string, query = `view=week&at=${MONDAY}`, schedule = 'db', language = 'en'): Promise<string[]> {
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await page.context().clearCookies();
  await page.context().addCookies(cookies[who]);
  await page.addInitScript((l) => localStorage.setItem('tocsin.language', l), language);
  await page.goto(`${server.url}/oncall/${schedule}?${query}`);
  await expect(page.locator('.cal-title')).toBeVisible();
  return wrong;
}

const bars = (page: Page, row: string) => page.locator(`.cal-row.${row} .bar`);
const dialog = (page: Page) => page.locator('dialog[open]');
const toast = (page: Page) => page.locator('.toast');

test('a way leads from who is on call to the calendar and back', async ({ page }) => {
  const wrong = await open(page, 'li');
  await page.getByRole('link', { name: 'On call now' }).click();
  await page.getByRole('link', { name: 'Database duty: calendar' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Database duty: calendar');
  expect(wrong).toEqual([]);
});

for (const [view, strips] of [['day', 1], ['week', 1], ['2weeks', 2], ['month', null]] as const) {
  test(`the view ${view} is whole`, async ({ page }) => {
    test.slow();
    await narrowPhone(page);
    const wrong = await open(page, 'li', `view=${view}&at=${MONDAY}`);
    await expect(bars(page, 'final').first()).toBeVisible();
    if (strips) await expect(page.locator('.cal-strip')).toHaveCount(strips);
    await expect(page.locator('.cal-load tbody tr').first()).toBeVisible();
    await examine(page, view);
    expect(wrong).toEqual([]);
  });
}

test('a week has a row for each layer, the overrides and who is on call, and its gaps', async ({ page }) => {
  await open(page, 'li');
  await expect(page.getByRole('group', { name: 'Layer nights' }).locator('.bar')).toHaveCount(8);
  await expect(page.getByRole('group', { name: 'Layer days' }).locator('.bar')).toHaveCount(5);
  await expect(bars(page, 'over')).toHaveCount(0);
  await expect(page.locator('.cal-row.final .gap')).toHaveCount(2);
  await expect(page.locator('.cal-row.final .gap').first()).toHaveAttribute('aria-label', /Gap: nobody from Sat .* 08:00 to Sat .* 20:00 \(12 h 00\)/);
  await expect(page.locator('.cal-row.final .bar.mine').first()).toBeVisible();
  await expect(page.locator('.cal-holiday')).toHaveCount(1);
  await expect(page.locator('.cal-load')).toContainText('Anna Berg');
  await page.goto(`${server.url}/oncall/db?view=week&at=${plus(MONDAY, 7)}`);
  await expect(page.getByRole('group', { name: 'Temporary' })).toContainText('Move of the data centre');
});

test('the address holds what is shown', { tag: '@desktop' }, async ({ page }) => {
  await open(page, 'li');
  await page.getByRole('button', { name: 'Later' }).click();
  await expect(page).toHaveURL(new RegExp(`at=${plus(MONDAY, 7)}`));
  await page.getByRole('button', { name: 'Month' }).click();
  await page.getByRole('button', { name: 'UTC' }).click();
  await expect(page).toHaveURL(/view=month.*zone=utc/);
  const title = await page.locator('.cal-title').textContent();
  await page.reload();
  await expect(page.locator('.cal-title')).toHaveText(title!);
  await expect(page.getByRole('button', { name: 'UTC' })).toHaveAttribute('aria-pressed', 'true');
});

test('the day on which the clocks change is marked, in the zone where they do', { tag: '@desktop' }, async ({ page }) => {
  await open(page, 'li', `view=week&at=${SPRING}`);
  await expect(page.locator('.cal-day em')).toHaveText(['23 h']);
  await expect(page.locator('.cal-clock')).toContainText('has 23 hours: the clock goes from 02:00 to 03:00');
  const widths = await page.locator('.cal-day').evaluateAll((days) => days.map((day) => day.getBoundingClientRect().width));
  expect(widths[6] / widths[5]).toBeCloseTo(23 / 24, 1);
  await examine(page, 'clock');
  await page.getByRole('button', { name: 'UTC' }).click();
  await expect(page.locator('.cal-clock')).toHaveCount(0);
});

test('a gap is filled by keyboard alone, and that is taken back and done again', { tag: '@desktop' }, async ({ page }) => {
  test.slow();
  const wrong = await open(page, 'li', `view=week&at=${plus(MONDAY, 7)}`);
  const fill = page.locator('.cal-agenda').getByRole('button', { name: /^Fill/ }).first();
  await fill.focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#cover-from')).toHaveValue(`${plus(MONDAY, 12)}T08:00`);
  await expect(page.locator('#cover-until')).toHaveValue(`${plus(MONDAY, 12)}T20:00`);
  await examine(page, 'dialog');
  await page.locator('#cover-person').selectOption('anna');
  await page.locator('#cover-note').focus();
  await page.keyboard.type('I am there anyway');
  await page.keyboard.press('Enter');
  await expect(toast(page)).toContainText('The override is in force');
  await expect(dialog(page)).toHaveCount(0);
  await expect(page.locator('.cal-row.final .gap')).toHaveCount(1);
  await bars(page, 'over').first().focus();
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toContainText('I am there anyway');
  await page.getByTestId('remove-override').click();
  await expect(page.locator('.cal-row.final .gap')).toHaveCount(2);
  await toast(page).filter({ hasText: 'was removed' }).getByRole('button', { name: 'Undo' }).click();
  await expect(page.locator('.cal-row.final .gap')).toHaveCount(1);
  expect(wrong).toEqual([]);
});

test('what is wrong is said at its field', async ({ page }) => {
  await open(page, 'li');
  await page.getByTestId('new-override').click();
  await page.locator('#cover-person').selectOption('');
  await page.getByTestId('ask-go').click();
  await expect(page.locator('#cover-person-error')).toHaveText('Choose somebody.');
  await expect(page.locator('#cover-person')).toBeFocused();
  await page.locator('#cover-person').selectOption('zhang');
  await page.locator('#cover-until').fill(`${plus(MONDAY, -1)}T00:00`);
  await page.getByTestId('ask-go').click();
  await expect(page.locator('#cover-until-error')).toContainText('Let it end after it begins');
  await expect(page.locator('#cover-until')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('#cover-person-error')).toHaveText('');
  await examine(page, 'refused');
});

test('a stretch drawn on the final row opens the dialog with it', { tag: '@desktop' }, async ({ page }) => {
  await open(page, 'li');
  const track = page.locator('.cal-row.final .cal-track');
  const box = (await track.boundingBox())!;
  // Saturday from nine to twelve.
  const x = (hours: number) => box.x + (box.width * hours) / 168;
  await page.mouse.move(x(5 * 24 + 9.4), box.y + 20);
  await page.mouse.down();
  await page.mouse.move(x(5 * 24 + 11.6), box.y + 20, { steps: 5 });
  await expect(page.locator('.cal-ghost')).toBeVisible();
  await page.mouse.up();
  await expect(page.locator('#cover-from')).toHaveValue(`${plus(MONDAY, 5)}T09:00`);
  await expect(page.locator('#cover-until')).toHaveValue(`${plus(MONDAY, 5)}T12:00`);
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toHaveCount(0);
  // A press is no drag: it asks for the whole shift.
  await bars(page, 'final').first().click();
  await expect(dialog(page).getByRole('heading')).toContainText('Cover for');
});

test('a shift is offered, taken, and is on call then', async ({ page, browser }) => {
  test.slow();
  const at = plus(MONDAY, 14);
  await open(page, 'li', `view=week&at=${at}`);
  await bars(page, 'final').and(page.locator('.mine')).last().click();
  await page.getByRole('button', { name: 'Offer to somebody' }).click();
  await page.locator('#swap-taker').selectOption('zhang');
  await page.locator('#swap-note').fill('Wedding');
  await examine(page, 'offer');
  await page.getByTestId('ask-go').click();
  await expect(page.getByTestId('swaps')).toContainText('张敏 Zhang Min takes');
  await expect(page.getByRole('button', { name: 'Take back' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Accept' })).toHaveCount(0);

  const other = await (await browser.newContext()).newPage();
  await open(other, 'zhang', `view=week&at=${at}`);
  await other.getByRole('button', { name: 'Accept' }).click();
  await expect(other.getByTestId('swaps')).toContainText('accepted');
  await expect(bars(other, 'over')).toHaveCount(1);
  await examine(other, 'swapped');
  // Whoever looked on sees it without asking.
  await expect(bars(page, 'over')).toHaveCount(1);
  await other.context().close();
});

test('a feed is made, its address shown once, and revoked', { tag: '@desktop' }, async ({ page }) => {
  await open(page, 'eve');
  await page.getByTestId('new-feed').click();
  const address = (await page.getByTestId('feed-address').textContent())!;
  await examine(page, 'feed');
  const path = new URL(address).pathname;
  const read = () => page.request.get(`${server.url}${path}`);
  expect(await (await read()).text()).toContain('BEGIN:VCALENDAR');
  await page.reload();
  await expect(page.getByTestId('feeds')).toContainText('last read');
  await expect(page.getByTestId('feed-address')).toHaveCount(0);
  await page.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByText('No feed yet.')).toBeVisible();
  expect((await read()).status()).toBe(404);
});

test('a viewer sees everything and changes nothing', async ({ page }) => {
  await open(page, 'eve');
  await expect(bars(page, 'final').first()).toBeVisible();
  await expect(page.getByText('Your role sees the calendar')).toBeVisible();
  await expect(page.locator('.cal-strips button, .cal-agenda button')).toHaveCount(0);
  await expect(page.getByTestId('new-override')).toHaveCount(0);
});

test('a schedule without anybody says so', async ({ page }) => {
  await open(page, 'li', `view=week&at=${MONDAY}`, 'spare');
  await expect(page.locator('.notice.bad')).toContainText('Nobody is on call in this time');
  await examine(page, 'nobody');
});

test('no such schedule, and a server that fails, are told', { tag: '@desktop' }, async ({ page }) => {
  await open(page, 'li');
  await page.goto(`${server.url}/oncall/nothing`);
  await expect(page.getByText('There is no such schedule.')).toBeVisible();
  await page.route('**/range?*', (route) => route.fulfill({ status: 500, body: '{}' }));
  await page.goto(`${server.url}/oncall/db`);
  await expect(page.getByRole('alert').getByRole('button', { name: 'Try again' })).toBeVisible();
  await examine(page, 'failed');
  await page.unroute('**/range?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(bars(page, 'final').first()).toBeVisible();
});

test('in Chinese, on the narrowest phone', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, 'li', `view=week&at=${MONDAY}`, 'db', 'zh');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('日历');
  await examine(page, 'chinese');
});

test('on a phone a day is shown first, and a tap asks who covers', { tag: '@phone' }, async ({ page }) => {
  await open(page, 'li', '');
  await expect(page.getByRole('button', { name: 'Day', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await page.locator('.cal-agenda button').first().tap();
  await expect(page.locator('#cover-person')).toBeVisible();
  await examine(page, 'sheet');
});
