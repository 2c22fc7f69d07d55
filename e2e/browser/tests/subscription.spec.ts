// A service that asks whether to send its messages here: an administrator confirms it at the message that asks.
import { expect, type Page } from "@playwright/test";
import { PASSWORD, ask, organisation, send } from "../newcomer.ts";
import { test } from "../own-server.ts";
import { examine } from "../whole.ts";

const asked = (page: Page) => page.getByTestId("subscription");
const confirm = (page: Page) => asked(page).getByRole("button", { name: "Confirm the subscription" });

/** What Amazon's SNS sends first. */
function question(host: string): string {
  return JSON.stringify({
    Type: "SubscriptionConfirmation",
    MessageId: `of-${host}`,
    TopicArn: "arn:aws:sns:us-west-2:1:pay",
    Message: "You have chosen to subscribe",
    SubscribeURL: `https://${host}/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:1:pay&Token=5ecret5ecret`,
    Timestamp: "2026-11-21T03:10:00Z",
  });
}

test("a subscription is confirmed by a button at the message that asks, and by nobody else", async ({ page, server }) => {
  await ask(page, server, "PUT", "config", { toml: organisation() });
  const { url: ingest } = await ask(page, server, "POST", "integrations", { name: "Shop" });
  await send(page, server, ingest, question("sns.us-west-2.amazonaws.com"));
  await send(page, server, ingest, question("sns.s3.amazonaws.com"));

  await test.step("what fails is said, and can be tried again", async () => {
    await page.goto(`${server.url}/messages?id=1`);
    await expect(asked(page)).toContainText("sns.us-west-2.amazonaws.com asks whether to send its messages here");
    await examine(page, "subscription asks");
    const problem = { title: "The service did not confirm it", status: 502, code: "not_confirmed" };
    await page.route("**/confirm", (route) => route.fulfill({ status: 502, contentType: "application/problem+json", body: JSON.stringify(problem) }), { times: 1 });
    await confirm(page).click();
    await expect(asked(page).getByRole("alert")).toContainText("It is not confirmed.");
    await expect(asked(page).getByRole("button", { name: "Try again" })).toBeEnabled();
    await examine(page, "subscription failed");
  });

  await test.step("what was done is shown from then on", async () => {
    // The service itself cannot be reached from here, so its answer and what is then on record are given in its place.
    await page.route("**/confirm", (route) => route.fulfill({ json: { host: "sns.us-west-2.amazonaws.com", said: "ok" } }));
    await page.route("**/api/v1/events/1", async (route) => {
      const answer = await route.fetch();
      const event = await answer.json();
      await route.fulfill({ response: answer, json: { ...event, subscription: { ...event.subscription, confirmed_at: event.received_at } } });
    });
    await asked(page).getByRole("button", { name: "Try again" }).click();
    await expect(asked(page)).toContainText("The subscription was confirmed at sns.us-west-2.amazonaws.com");
    await expect(confirm(page)).toHaveCount(0);
    await page.unroute("**/api/v1/events/1");
  });

  await test.step("an address that anybody may own is not asked from here", async () => {
    await page.goto(`${server.url}/messages?id=2`);
    await expect(asked(page)).toContainText("sns.s3.amazonaws.com is no service that is asked from here");
    await expect(confirm(page)).toHaveCount(0);
  });

  await test.step("in Chinese", async () => {
    await page.evaluate(() => localStorage.setItem("tocsin.language", "zh"));
    await page.goto(`${server.url}/messages?id=1`);
    await expect(asked(page).getByRole("button", { name: "确认订阅" })).toBeVisible();
    await examine(page, "subscription chinese");
    await page.evaluate(() => localStorage.setItem("tocsin.language", "en"));
  });

  await test.step("not by those who only look", async () => {
    await ask(page, server, "POST", "accounts", { login: "eve", name: "Eve", role: "viewer", person: null, password: PASSWORD });
    await page.context().clearCookies();
    await page.goto(`${server.url}/signin`);
    await page.getByLabel("Login").fill("eve");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).not.toHaveURL(/signin/);
    await page.goto(`${server.url}/messages?id=1`);
    await expect(asked(page)).toContainText("An administrator can confirm it here.");
    await expect(confirm(page)).toHaveCount(0);
  });
});
