// What somebody sees who looks at a host while load comes over it (e2e/tests/load.rs plays this, makes the load, and takes
// the time between the two).
import { expect, test } from '@playwright/test';

const url = process.env.TOCSIN_LOAD_URL;
test.skip(!url, 'e2e/tests/load.rs plays this');

const step = (name: string) => console.log(`step: ${name}`);

test('load is on the page as it comes, and on the incident afterwards', async ({ page }) => {
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(`${url}/signin`);
  await page.getByTestId('signin-login').fill(process.env.TOCSIN_LOGIN ?? '');
  await page.getByTestId('signin-password').fill(process.env.TOCSIN_PASSWORD ?? '');
  await page.getByTestId('signin-submit').click();
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await page.goto(`${url}/hosts/one?name=lab-1&range=live`);
  const busy = page.getByTestId('host-strip').getByRole('heading', { name: /CPU/ }).locator('b');
  const percent = async () => Number.parseFloat((await busy.textContent()) ?? '');
  await expect.poll(percent, { timeout: 60_000 }).toBeGreaterThanOrEqual(0);
  step('the host is open');

  await expect.poll(percent, { intervals: [50], timeout: 60_000 }).toBeGreaterThan(90);
  step('the load is seen');

  const incident = process.env.TOCSIN_INCIDENT ?? '1';
  await expect(async () => {
    await page.goto(`${url}/incidents/${incident}`);
    await expect(page.getByTestId('around')).toContainText('lab-1', { timeout: 10_000 });
  }).toPass({ timeout: 90_000 });
  expect(wrong).toEqual([]);
  step('the incident shows the host');
});
