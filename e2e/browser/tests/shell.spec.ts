// The application starts under the server's content policy and asks a stranger to sign in.
import { expect, test } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';

const url = process.env.TOCSIN_URL;
test.skip(!url, 'TOCSIN_URL names no server');

test('a stranger is asked to sign in, under a policy that lets nothing in from elsewhere', { tag: '@desktop' }, async ({ page }) => {
  const answer = await page.goto(url!);
  const policy = answer?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|(?<!wasm-)unsafe-eval/);
  await expect(page.getByTestId('signin-login')).toBeVisible();
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations).toEqual([]);
});

test('a script that got into the page does not run', { tag: '@desktop' }, async ({ page }) => {
  await page.goto(url!);
  await expect(page.getByTestId('signin-login')).toBeVisible();
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.intruder = true';
    document.head.append(script);
    await new Promise((done) => setTimeout(done, 0));
    return 'intruder' in window;
  });
  expect(ran).toBe(false);
});

test('the installed application opens without the server, and says so', { tag: '@phone' }, async ({ page, context }) => {
  await page.goto(url!);
  await expect(page.getByTestId('signin-login')).toBeVisible();
  // The files are kept by the service worker once it is in charge.
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload();
  await expect(page.getByTestId('signin-login')).toBeVisible();
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByText('The server does not')).toBeVisible();
});

test('Android and iOS can install the application', { tag: '@phone' }, async ({ page, request }) => {
  await page.goto(url!);
  await expect(page.getByTestId('signin-login')).toBeVisible();
  const tools = await page.context().newCDPSession(page);
  const { installabilityErrors } = await tools.send('Page.getInstallabilityErrors');
  // Tests run in private windows, from which nothing is installed.
  expect(installabilityErrors.map((it) => it.errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
  const { errors, data, url: at } = await tools.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const { display, start_url, icons } = JSON.parse(data!);
  expect({ display, start_url }).toEqual({ display: 'standalone', start_url: '/' });
  // What iOS takes for the home screen when it does not read the manifest.
  const touch = await page.locator('link[rel=apple-touch-icon]').getAttribute('href');
  for (const src of [touch, ...icons.map((it: { src: string }) => it.src)]) {
    const picture = await request.get(new URL(src, at).href);
    expect([picture.status(), picture.headers()['content-type']], src).toEqual([200, expect.stringMatching(/^image\//)]);
  }
});
