// One sender's page: its last requests, a token that takes another's place, and a message that is told again. Real messages
// to a server of its own.
import { createHmac } from "node:crypto";
import { expect, type Page } from "@playwright/test";
import { PASSWORD, ask, organisation, send } from "../newcomer.ts";
import { test } from "../own-server.ts";
import { freePort, type Server } from "../server.ts";
import { examine } from "../whole.ts";

const requests = (page: Page) => page.getByTestId("sender-requests");
const rows = (page: Page) => requests(page).locator("tbody tr");
const tokens = (page: Page) => page.getByTestId("sender-tokens");
const dialog = (page: Page) => page.getByRole("dialog");

let ingest: string;

test.beforeEach(async ({ page, server }) => {
  await ask(page, server, "PUT", "config", { toml: organisation() });
  ({ url: ingest } = await ask(page, server, "POST", "integrations", { name: "Shop" }));
});

/** A message to the sender's address with a suffix, and the status of its answer. */
async function post(page: Page, server: Server, data: string, more: { suffix?: string; headers?: Record<string, string> } = {}) {
  const path = new URL(ingest, server.url).pathname + (more.suffix ?? "");
  const headers = { connection: "close", ...more.headers };
  return (await page.context().request.post(`${server.url}${path}`, { data, headers })).status();
}

async function chinese(page: Page, look: () => Promise<void>): Promise<void> {
  await page.evaluate(() => localStorage.setItem("tocsin.language", "zh"));
  await page.reload();
  await look();
  await page.evaluate(() => localStorage.setItem("tocsin.language", "en"));
  await page.reload();
}

test("the last requests say what became of each, and what to mend", async ({ page, server }) => {
  test.slow();
  await test.step("where nothing came, it says how to send", async () => {
    await page.goto(`${server.url}/integrations/shop`);
    await expect(requests(page)).toContainText("Nothing has come yet");
    await expect(requests(page).locator(".snippet")).toContainText("/ingest/TOKEN");
    await examine(page, "requests empty");
  });

  await test.step("what is taken appears by itself, with its message", async () => {
    await send(page, server, ingest, "[P2][PROBLEM][db-07][10.8.3.21][disk is full]");
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page)).toContainText("POST /ingest/…");
    await expect(rows(page)).toContainText("200 taken");
    await expect(rows(page)).toContainText("1 event");
    await expect(rows(page).getByRole("link", { name: /Message \d+/ })).toHaveAttribute("href", /\/messages\?id=\d+/);
  });

  await test.step("a refusal appears too, though nobody tells of it, with the mend", async () => {
    expect(await post(page, server, "{}", { suffix: "/morse" })).toBe(404);
    expect(await post(page, server, "x", { headers: { "content-encoding": "br" } })).toBe(415);
    await expect(rows(page)).toHaveCount(3, { timeout: 20_000 });
    expect(await post(page, server, "")).toBe(400);
    await expect(rows(page)).toHaveCount(4);
    await expect(rows(page).nth(2)).toContainText("404 refused");
    await expect(rows(page).nth(2)).toContainText("There is no such format");
    await expect(rows(page).nth(1)).toContainText("send it as gzip, or as it is");
    await expect(rows(page).nth(0)).toContainText("kept in quarantine");
    await expect(requests(page).getByRole("img")).toHaveAttribute("aria-label", /4 requests.*1 taken, 3 refused, 0 failed/);
    await expect(requests(page)).not.toContainText(new URL(ingest, server.url).pathname.split("/")[2]);
    await examine(page, "requests");
  });

  await test.step("a sender that signs is told what is wrong with its signature", async () => {
    const signature = '[[integrations]]\nid = "shop"\nname = "Shop"\nsignature = { kind = "github", secret = "sesame" }\n';
    await ask(page, server, "PUT", "config", { toml: organisation() + signature });
    const body = '{"host":"db-08","severity":"P3","summary":"slow"}';
    const signed = (secret: string) => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    expect(await post(page, server, body)).toBe(401);
    expect(await post(page, server, body, { headers: { "x-hub-signature-256": signed("open") } })).toBe(401);
    expect(await post(page, server, body, { headers: { "x-hub-signature-256": signed("sesame") } })).toBe(200);
    await expect(rows(page)).toHaveCount(7);
    await expect(rows(page).nth(2)).toContainText("It is not signed, and this sender has to");
    await expect(rows(page).nth(1)).toContainText("The signature does not match: is the secret the same on both sides?");
    await expect(rows(page).nth(0)).toContainText("200 taken");
  });

  await test.step("in Chinese, and with fifty of them", async () => {
    for (let i = 0; i < 48; i += 1) {
      await send(page, server, ingest.replace("/ingest/", "/am/") + "/api/v2/alerts", "[]").catch(() => undefined);
    }
    await chinese(page, async () => {
      await expect(requests(page)).toContainText("最近请求");
      await expect(rows(page), "the newest; the mapping is not far below").toHaveCount(10);
      await expect(requests(page).getByRole("img")).toHaveAttribute("aria-label", /^50 /);
      await examine(page, "requests chinese");
      await requests(page).getByRole("button", { name: "显示全部 50 个" }).click();
      await expect(rows(page)).toHaveCount(50);
    });
  });
});

test("a list that cannot be loaded says so and is asked for again", { tag: "@desktop" }, async ({ page, server }) => {
  let fails = true;
  await page.route("**/api/v1/integrations/shop/requests", (route) => (fails ? route.fulfill({ status: 500, body: "{}" }) : route.fallback()));
  await page.goto(`${server.url}/integrations/shop`);
  await expect(requests(page).getByRole("alert")).toBeVisible();
  await examine(page, "requests failed");
  fails = false;
  await requests(page).getByRole("button", { name: "Try again" }).click();
  await expect(requests(page)).toContainText("Nothing has come yet");
  await send(page, server, ingest, "[P2][PROBLEM][db-07][10.8.3.21][disk is full]");
  await expect(rows(page)).toHaveCount(1);
  await page.context().setOffline(true);
  await expect(rows(page), "what was there stays").toHaveCount(1);
  await examine(page, "sender offline");
  await page.context().setOffline(false);
});

test("a new token is shown once, and the old one works until the time that was chosen", async ({ page, server }) => {
  await page.goto(`${server.url}/integrations/shop`);
  await expect(tokens(page).locator(".token-list li")).toHaveCount(1);
  await expect(tokens(page)).toContainText("taken until it is revoked");
  await tokens(page).getByLabel("The old ones are taken").selectOption("for another 7 d");
  await tokens(page).getByRole("button", { name: "New token" }).click();
  const made = page.getByTestId("new-token");
  await expect(made.getByRole("heading", { name: "The new token" })).toBeFocused();
  await expect(made).toContainText("This is shown once");
  await expect(made).toContainText("The old tokens are taken until");
  const token = await made.getByTestId("token").textContent();
  await expect(made.locator(".snippet"), "ready to paste").toContainText(`/ingest/${token}`);
  await expect(tokens(page).locator(".token-list li")).toHaveCount(2);
  await expect(tokens(page).locator(".token-list li").filter({ hasText: "taken until it is revoked" })).toHaveCount(1);
  await examine(page, "token new");
  await send(page, server, ingest, "[P3][PROBLEM][db-07][10.8.3.21][disk is full]");
  await send(page, server, `/ingest/${token}`, "[P3][PROBLEM][db-08][10.8.3.22][disk is full]");
  await page.reload();
  await expect(page.getByTestId("new-token"), "only once").toHaveCount(0);
  await expect(tokens(page).locator(".ends")).toHaveCount(1);
  await expect(tokens(page)).not.toContainText(token!);
  await chinese(page, async () => {
    await expect(tokens(page)).toContainText("有效至");
    await examine(page, "tokens chinese");
  });

  await test.step("what the server refuses is said", async () => {
    await page.route("**/api/v1/integrations/shop/tokens", (route) => route.abort(), { times: 1 });
    await tokens(page).getByRole("button", { name: "New token" }).click();
    await expect(tokens(page).getByRole("alert")).not.toBeEmpty();
    await expect(page.getByTestId("new-token")).toHaveCount(0);
  });
});

test("a stored message is told again from the list, from its own page and from the incident", async ({ page, server }) => {
  test.slow();
  await send(page, server, ingest, "[P2][PROBLEM][db-07][10.8.3.21][disk is full]");
  await send(page, server, ingest, "[P2][OK][db-07][10.8.3.21][disk is full]");
  const again = page.getByRole("button", { name: /Tell message \d+ again/ });

  await test.step("from the list of requests, by keyboard, with a warning before", async () => {
    await page.goto(`${server.url}/integrations/shop`);
    await again.last().focus();
    await page.keyboard.press("Enter");
    await expect(dialog(page)).toContainText("it may open an incident and page people");
    await examine(page, "again asks");
    await page.keyboard.press("Escape");
    await expect(again.last()).toBeFocused();
    await again.last().click();
    await dialog(page).getByRole("button", { name: "Tell it again" }).click();
    await expect(dialog(page)).toContainText("It is message 3 now");
    await expect(dialog(page)).toContainText(/opened #\d+/);
    await examine(page, "again told");
    await dialog(page).getByRole("link", { name: /Open incident #/ }).click();
    await expect(page).toHaveURL(/\/incidents\/\d+$/);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("disk is full");
  });

  await test.step("from the incident, where what came of it stays although the page changes", async () => {
    await again.first().click();
    await dialog(page).getByRole("button", { name: "Tell it again" }).click();
    await expect(dialog(page)).toContainText(/repeat of #\d+/);
    await expect(page.getByTestId("raw")).toContainText("older message");
    await expect(dialog(page)).toContainText("It is message 4 now");
    await dialog(page).getByRole("button", { name: "Close" }).click();
  });

  await test.step("from the message itself, and what fails is said", async () => {
    await page.goto(`${server.url}/messages?id=2`);
    await page.route("**/replay", (route) => route.abort(), { times: 1 });
    await again.click();
    await dialog(page).getByRole("button", { name: "Tell it again" }).click();
    await expect(dialog(page).getByRole("alert")).toContainText("whether it was told again is not known");
    await examine(page, "again failed");
    await dialog(page).getByRole("button", { name: "Try again" }).click();
    await expect(dialog(page)).toContainText(/recovery of #\d+/);
    await chinese(page, async () => {
      await page.getByRole("button", { name: /重新投递消息/ }).click();
      await expect(dialog(page)).toContainText("可能创建事件并通知人员");
      await examine(page, "again chinese");
    });
  });

  await test.step("not by those who only look", async () => {
    const account = { login: "eve", name: "Eve", role: "viewer", person: null, password: PASSWORD };
    await ask(page, server, "POST", "accounts", account);
    await ask(page, server, "POST", "session", { login: "eve", password: PASSWORD });
    await page.goto(`${server.url}/integrations/shop`);
    await expect(rows(page)).not.toHaveCount(0);
    await expect(again).toHaveCount(0);
    await expect(tokens(page).getByRole("button")).toHaveCount(0);
  });
});

test("what is set for a sender is shown without its secrets, and where it is changed", async ({ page, server }) => {
  const settings = page.getByTestId("sender-settings");
  const setting = (name: string) => settings.locator(`[data-setting="${name}"]`);
  await page.goto(`${server.url}/integrations/shop`);
  await expect(setting("signature")).toContainText("the token is enough");
  await expect(setting("rate_limit")).toContainText("none");
  await expect(settings, "a sender by its token alone").toContainText("The configuration does not name this sender yet");
  await examine(page, "settings default");
  const signature = 'signature = { kind = "standard_webhooks", secret = "whsec_dGhlIGZpcnN0IHNlY3JldCBvZiBhIHNlbmRlcg=="';
  const rest = `
rate_limit = { messages = 600, within = "1m" }
charset = "gbk"
default_severity = "P2"
time_zone = "Asia/Shanghai"
dedup_key = "{host}|{labels.service}"
silent_after = "1h"
`;
  // Both secrets since the second of these versions.
  const toml = (settings: string) => `${organisation()}\n[[integrations]]\nid = "shop"\nname = "Shop"\n${settings}`;
  await ask(page, server, "PUT", "config", { toml: toml(`${signature} }\n`) });
  const next = ', next_secret = "whsec_YW5vdGhlciBvbmUgb2YgdGhlIHNhbWUgc2l6ZQ=="';
  await ask(page, server, "PUT", "config", { toml: toml(`${signature}${next} }\n${rest}`) });
  await page.reload();
  await expect(setting("signature")).toContainText("Standard Webhooks");
  await expect(setting("signature")).toContainText("not older than 5 min");
  await expect(setting("signature")).toContainText("Two secrets count");
  await expect(setting("signature").locator("time")).toBeVisible();
  await expect(setting("rate_limit")).toContainText("600 messages in 1 min");
  await expect(setting("charset")).toContainText("gbk");
  await expect(setting("default_severity")).toContainText("P2");
  await expect(setting("time_zone")).toContainText("Asia/Shanghai");
  await expect(setting("dedup_key")).toContainText("{host}|{labels.service}");
  await expect(setting("silent_after")).toContainText("after 1 h 00 a P3");
  await expect(settings).not.toContainText("whsec");
  await examine(page, "settings");
  const port = await freePort();
  await ask(page, server, "PUT", "config", { toml: toml(`syslog = { tcp = "127.0.0.1:${port}", from = ["127.0.0.0/8"] }\n`) });
  await page.reload();
  await expect(setting("syslog")).toContainText(`TCP 127.0.0.1:${port} · from 127.0.0.0/8`);
  await expect(setting("signature")).toContainText("the token is enough");
  await page.locator(".snippet-tabs").getByText("logger", { exact: true }).click();
  await expect(page.locator(".sender-page > .card .snippet").last()).toContainText(`--server 127.0.0.1 --port ${port}`);
  await chinese(page, async () => {
    await expect(setting("signature")).toContainText("签名");
    await examine(page, "settings chinese");
  });
  await settings.getByRole("link", { name: "Change it in the configuration" }).click();
  await expect(page).toHaveURL(/settings\?tab=config/);
});
