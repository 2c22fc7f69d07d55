// A server of one's own, and its first administrator with a small organisation: what a test begins with.
import { expect, type Page } from "@playwright/test";
import type { Server } from "./server.ts";

export const PASSWORD = "correct horse battery";

/** Whoever uses the server's one-time link; signed in afterwards, with the board open. */
export async function setUp(page: Page, server: Server): Promise<void> {
  const [, link] = await server.said(/first administrator: (\S+)/);
  const { pathname, search } = new URL(link);
  await page.addInitScript(() => {
    localStorage.getItem("tocsin.language") ?? localStorage.setItem("tocsin.language", "en");
  });
  await page.goto(`${server.url}${pathname}${search}`);
  await page.locator("#setup-name").fill("Li Wei");
  await page.locator("#setup-login").fill("li");
  await page.locator("#setup-password").fill(PASSWORD);
  await page.getByTestId("setup-submit").click();
  await expect(page.getByTestId("connection")).toHaveText("Live");
}

/** The same without a page: Li Wei is signed in, and is the person of that name in the configuration. */
export async function join(page: Page, server: Server, toml: string): Promise<void> {
  const [, link] = await server.said(/first administrator: (\S+)/);
  const code = new URL(link).searchParams.get("code");
  await ask(page, server, "POST", "setup", { code, login: "li", name: "Li Wei", password: PASSWORD });
  await ask(page, server, "PUT", "config", { toml });
  await ask(page, server, "PUT", "accounts/li", { person: "li" });
}

// A connection that was idle for a while may be closed by the server in the moment in which it is used again.
const ALONE = { connection: "close" };

/** Asks the interface as the person who is signed in. */
export async function ask(page: Page, server: Server, method: string, path: string, data?: unknown) {
  const headers = { origin: server.url, ...ALONE };
  const answer = await page.context().request.fetch(`${server.url}/api/v1/${path}`, { method, data, headers });
  expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true);
  return answer.json();
}

/** A message to a sender's address, which the server may know under another name than this test. */
export async function send(page: Page, server: Server, ingest: string, data: string): Promise<void> {
  const sent = await page.context().request.post(`${server.url}${new URL(ingest, server.url).pathname}`, { data, headers: ALONE });
  expect(sent.ok(), data).toBe(true);
}

/** Li Wei, whose phone is at that address and who is paged for everything. */
export function organisation(phone = "http://127.0.0.1:9/"): string {
  return `
fallback = ["person:li"]
channels.webhook = { allow_networks = ["127.0.0.0/8"], allow_http = true }

[[people]]
id = "li"
name = "Li Wei"
contacts = [{ id = "phone", webhook = "${phone}" }]

[[policies]]
id = "everything"
levels = [{ notify = ["person:li"], delay = "5m" }]

[[routes]]
id = "everything"
policy = "everything"
`;
}
