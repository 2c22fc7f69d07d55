// The part of the path (e2e/tests/path.rs) that a person sees: signs in, sees the incident appear, acknowledges it and
// sees it recover, all in one document that is never loaded again. e2e/tests/path.rs starts this and the server, sends
// the alerts, and waits for the lines that begin with `step:`.
import { expect, test } from '@playwright/test';

const url = process.env.TOCSIN_PATH_URL;
test.skip(!url, 'e2e/tests/path.rs plays this');

const step = (name: string) => console.log(`step: ${name}`);

test('an alert appears, is acknowledged and recovers before the eyes of a person', async ({ page }) => {
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(`${url}/signin`);
  await page.getByTestId('signin-login').fill(process.env.TOCSIN_LOGIN ?? '');
  await page.getByTestId('signin-password').fill(process.env.TOCSIN_PASSWORD ?? '');
  await page.getByTestId('signin-submit').click();
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await page.evaluate(() => Object.assign(window, { neverLoadedAgain: true }));
  await expect(page.getByTestId('row-1')).toHaveCount(0);
  step('the empty board is open');

  const row = page.getByTestId('row-1');
  await expect(row).toBeVisible();
  await expect(row).toContainText('db-07');
  await expect(row).toContainText('P0');
  await row.getByText('db-07').first().click();
  await expect(page).toHaveURL(/\/incidents\/1$/);
  await expect(page.getByTestId('state')).toHaveText('Open');
  // Level 2, as it happens.
  await expect(page.getByTestId('timeline')).toContainText(/zhao/i);

  await page.getByTestId('ack').first().click();
  await expect(page.getByTestId('state')).toHaveText('Acked');
  await expect(page.getByTestId('unack')).toBeVisible();
  step('acknowledged');

  await expect(page.getByTestId('state')).toHaveText('Resolved', { timeout: 45_000 });
  expect(await page.evaluate(() => 'neverLoadedAgain' in window), 'the page was loaded again').toBe(true);
  expect(wrong).toEqual([]);
  step('resolved');
});
