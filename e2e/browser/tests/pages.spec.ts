// Every page of a running server: it shows its content, in light and dark, without an axe finding, an error in the
// console or a sideways scroll. TOCSIN_URL names the server (`tocsin serve --demo`), TOCSIN_LOGIN and TOCSIN_PASSWORD
// an administrator of it.
import { expect, test, type Page } from '@playwright/test';
import { examine } from '../whole.ts';

const url = process.env.TOCSIN_URL;
test.skip(!url, 'TOCSIN_URL names no server');

// What proves that the page is there and not only its frame.
const pages: Record<string, [path: string, content: string]> = {
  board: ['/', '[data-testid="board"] [data-testid^="row-"], .calm'],
  'on-call': ['/oncall', '.schedule, .empty'],
  policies: ['/policies', '.flow, .empty'],
  routes: ['/routes', '.tree-node, .empty'],
  integrations: ['/integrations', '.senders, .empty'],
  heartbeats: ['/heartbeats', '.heartbeats'],
  hosts: ['/hosts', '[data-testid="host-tiles"] .tile'],
  'hosts table': ['/hosts?view=table', '[data-testid="host-table"] tbody tr'],
  'hosts honeycomb': ['/hosts?view=comb&group=cluster', '.cell'],
  'hosts charts': ['/hosts?view=charts', '.multiples a'],
  'a host': ['/hosts/one?name=db-order-02', '[data-testid="host-strip"] h2'],
  'host rules': ['/hosts/rules', '[data-testid="template-base"]'],
  mirrors: ['/mirrors', '.mirror-list'],
  'new mirror': ['/mirrors/new', '[data-testid="mirror-form"], .empty'],
  messages: ['/messages', '.messages, .empty'],
  quarantine: ['/messages?outcome=rejected', '.messages, .empty'],
  status: ['/status', '.pipeline'],
  more: ['/more', '.more-list'],
  'my notifications': ['/me', '#person-zone, .notice'],
  security: ['/settings?tab=security', '.lines-list'],
  browser: ['/settings?tab=browser', '.narrow-form'],
  accounts: ['/settings?tab=accounts', '.accounts'],
  tokens: ['/settings?tab=tokens', '#token-name'],
  channels: ['/settings?tab=channels', '.channels'],
  configuration: ['/settings?tab=config', 'textarea.code'],
  audit: ['/settings?tab=audit', '.audit'],
  'no such page': ['/nowhere', 'h1'],
};

let cookies: Awaited<ReturnType<ReturnType<Page['context']>['cookies']>>;

// Once for all: the server slows down whoever signs in again and again.
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage();
  await page.goto(`${url}/signin`);
  await page.getByTestId('signin-login').fill(process.env.TOCSIN_LOGIN ?? '');
  await page.getByTestId('signin-password').fill(process.env.TOCSIN_PASSWORD ?? '');
  await page.getByTestId('signin-submit').click();
  await expect(page.getByTestId('connection')).toBeVisible();
  cookies = await page.context().cookies();
  await page.close();
});

/** Opens a page, and returns the console's errors as they come. */
async function open(page: Page, path: string, content: string): Promise<string[]> {
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.addInitScript(() => localStorage.setItem('tocsin.language', 'en'));
  await page.goto(`${url}${path}`);
  await expect(page.locator(content).first()).toBeVisible();
  return errors;
}

for (const [name, [path, content]] of Object.entries(pages)) {
  test(`${name} is whole`, async ({ page, context }) => {
    await context.addCookies(cookies);
    const errors = await open(page, path, content);
    await examine(page, name);
    expect(errors).toEqual([]);
  });
}

test('an incident is whole', async ({ page, context }) => {
  await context.addCookies(cookies);
  const { items } = await (await context.request.get(`${url}/api/v1/incidents`)).json();
  test.skip(items.length === 0, 'nothing is open');
  const errors = await open(page, `/incidents/${items[0].id}`, '[data-testid="swimlane"]');
  for (const part of ['why', 'raw', 'timeline', 'state']) await expect(page.getByTestId(part)).toBeVisible();
  await examine(page, 'an incident');
  expect(errors).toEqual([]);
});

test('signing in is whole', async ({ page }) => {
  const errors = await open(page, '/signin', '[data-testid="signin-submit"]');
  await examine(page, 'signing in');
  // Asking who is signed in is answered with 401, which the browser itself reports.
  expect(errors.filter((error) => !error.includes('401'))).toEqual([]);
});
