// What every page must be, whatever is on it: readable with assistance, in both themes, and nothing outside the screen.
import { expect, test, type Page } from "@playwright/test";
import AxeBuilder from "@axe-core/playwright";

/** As a narrow phone has it; a desktop keeps its size. */
export async function narrowPhone(page: Page): Promise<void> {
  if (test.info().project.name === "phone") {
    await page.setViewportSize({ width: 360, height: 740 });
  }
}

/** The themes differ in their colours only: the rest is looked at once, and axe takes most of the time of these tests. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** No finding of axe in either theme, and no sideways scroll; TOCSIN_PICTURES names a folder for pictures of it. */
export async function examine(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // In the page itself: the other way opens a page of its own for each look, which only pages with frames need.
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    const { violations } = await (colorScheme === "light" ? axe : axe.withRules(OF_COLOURS)).analyze();
    const found = violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join(" "))]);
    expect(found, `${name} ${colorScheme}`).toEqual([]);
    await picture(page, `${name} ${colorScheme}`);
  }
  const sideways = await page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll("#content, .list-empty, dialog[open]")];
    return boxes.some((box) => box.scrollWidth > box.clientWidth + 1);
  });
  expect(sideways, `${name}: a sideways scroll`).toBe(false);
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.TOCSIN_PICTURES;
  const size = page.viewportSize();
  if (!folder || !size) {
    return;
  }
  // The page scrolls inside; a tall window shows all of it.
  await page.setViewportSize({ ...size, height: 2000 });
  await page.screenshot({ path: `${folder}/${test.info().project.name}-${name.replaceAll(" ", "-")}.png` });
  await page.setViewportSize(size);
}
