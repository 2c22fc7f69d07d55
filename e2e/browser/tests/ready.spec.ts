// Whoever comes on call is asked whether they are ready; the page says who has not answered, and they answer there.
import { expect } from '@playwright/test';
import { ask } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

const MINUTE = 60_000;
const written = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ') + '+00:00';

const organisation = (now: number) => `
fallback = ["person:wang"]
[[people]]
id = "li"
name = "Li Wei"
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "phone", webhook = "https://example.org/hook" }]
[[schedules]]
id = "db"
name = "Databases"
time_zone = "UTC"
lead = "wang"
rotations = [{ people = ["wang"], every = "week", handoff = "09:00", start = "2026-01-05" }]
overrides = [{ person = "li", replaces = "wang", from = "${written(now + 20 * MINUTE)}", until = "${written(now + 200 * MINUTE)}" }]
`;

test('a shift that begins soon is confirmed on the page', async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation(Date.now()) });
  await ask(page, server, 'PUT', 'accounts/li', { person: 'li' });
  await expect
    .poll(async () => (await ask(page, server, 'GET', 'oncall')).schedules[0].asked.length, { timeout: 30_000 })
    .toBeGreaterThanOrEqual(1);
  await page.goto(`${server.url}/oncall`);
  // Wang, who is on call now, comes again after that, and was asked too.
  const asked = page.getByTestId('ready').getByRole('listitem').filter({ hasText: 'Li Wei' });
  await expect(asked).toContainText('Li Wei has not confirmed the shift');
  await expect(asked).toContainText('Nothing reached them');
  await examine(page, 'on call not confirmed');
  await asked.getByRole('button', { name: 'I am ready' }).click();
  await expect(asked).toContainText('Li Wei is ready for the shift');
  await examine(page, 'on call confirmed');
});
