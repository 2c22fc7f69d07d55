// A policy is edited in the browser, beside whom it would page: asked of the engine itself, which is fetched for it.
// Against a server of its own.
import { expect, type Page } from '@playwright/test';
import { ask, organisation } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const night = `
[[schedules]]
id = "night"
name = "Night"
time_zone = "Europe/Berlin"
rotations = [{ people = ["li"], every = "day", handoff = "03:00", start = "2026-01-01" }]
[[policies]]
id = "nights"
name = "By night"
levels = [{ notify = ["schedule:night"], delay = "5m" }]
`;

test.beforeEach(async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() + night });
});

const editor = (page: Page) => page.getByTestId('policy-editor');
const flow = (page: Page) => page.locator('.flow').filter({ hasText: 'nights' });
const marks = (page: Page) => page.locator('.gantt-mark:not(.reminder)');

test('a level is added, seen in the picture, refused while wrong, and applied', async ({ page, server }) => {
  test.slow();
  const engines: string[] = [];
  page.on('request', (request) => {
    if (/rehearsal.*\.wasm$/.test(request.url())) engines.push(request.url());
  });
  await page.goto(`${server.url}/policies`);
  await expect(flow(page)).toBeVisible();
  expect(engines).toEqual([]);

  await test.step('the picture is drawn by the engine', async () => {
    await flow(page).getByRole('button', { name: 'Edit' }).click();
    await expect(page.getByTestId('gantt')).toBeVisible();
    expect(engines.length).toBe(1);
    await expect(marks(page)).toHaveCount(1);
    await page.getByTestId('gantt-table').locator('summary').click();
    await expect(page.getByTestId('gantt-table').locator('tbody tr').first()).toContainText('Li');
    await examine(page, 'policy editor');
  });

  await test.step('a second level, by keyboard, changes it at once', async () => {
    await page.getByRole('button', { name: 'Add a level' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('level-2')).toBeVisible();
    await page.locator('#level-2-add').selectOption('person:li');
    await expect(marks(page)).toHaveCount(2);
    await page.locator('#level-1-delay').fill('soon');
    await expect(page.getByTestId('level-1')).toContainText('Write a length of time');
    await page.locator('#level-1-delay').fill('7m');
    await expect(page.getByTestId('gantt-table').locator('tbody tr').nth(1)).toContainText('7 min');
  });

  await test.step('a repeat that is no number is told at its field, and nothing is sent', async () => {
    const repeat = page.locator('#policy-repeat');
    for (const text of ['often', '1.5', '-1', '']) {
      await repeat.fill(text);
      await expect(repeat).toHaveAttribute('aria-invalid', 'true');
      await expect(page.locator('#policy-repeat-hint')).toHaveText('Write a whole number.');
    }
    await editor(page).getByRole('button', { name: 'Apply' }).click();
    await expect(repeat).toBeFocused();
    await expect(editor(page)).toBeVisible();
    await repeat.fill('2');
    await expect(repeat).toHaveAttribute('aria-invalid', 'false');
    await expect(marks(page)).toHaveCount(6);
    await repeat.fill('0');
    await expect(marks(page)).toHaveCount(2);
  });

  await test.step('moments are those of the schedule’s own clock', async () => {
    await page.getByRole('button', { name: 'Next 03:12' }).click();
    await expect(page.getByTestId('simulator')).toContainText('03:12 (clock of Europe/Berlin)');
    await page.getByRole('button', { name: 'Next change of the clock' }).click();
    await expect(page.getByTestId('simulator')).toContainText(/0[12]:45 \(clock of Europe\/Berlin\)/);
    await page.locator('#simulated-severity').selectOption('P0');
    await expect(marks(page)).toHaveCount(2);
  });

  await test.step('what is wrong is said where it is', async () => {
    const level = page.getByTestId('level-2');
    await level.locator('summary').click();
    await page.locator('#level-2-during').fill('nowhere');
    await expect(page.getByTestId('simulator')).toContainText('policies[nights].levels[1]');
    await editor(page).getByRole('button', { name: 'Apply' }).click();
    await expect(level.getByRole('alert')).toBeVisible();
    await page.locator('#level-2-during').fill('');
  });

  await test.step('applied, it is in force, and the rest of the document is as it was', async () => {
    await editor(page).getByRole('button', { name: 'Apply' }).click();
    await expect(editor(page)).toBeHidden();
    await expect(flow(page)).toContainText('Level 2');
    const { toml } = await ask(page, server, 'GET', 'config');
    expect(toml).toContain('delay = "7m"');
    expect(toml).toContain('id = "night"');
  });
});
