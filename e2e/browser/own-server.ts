// A test with a server of its own: its first administrator is signed in, and no error happened in the page by the end.
import { expect, test as base } from "@playwright/test";
import { setUp } from "./newcomer.ts";
import { start, type Server } from "./server.ts";
import { narrowPhone } from "./whole.ts";

const program = process.env.TOCSIN_BIN;

export const test = base.extend<{ server: Server }>({
  server: async ({ page }, use) => {
    base.skip(!program || !!process.env.TOCSIN_PATH_URL, "TOCSIN_BIN names no server to start");
    const wrong: string[] = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    const server = await start(program!);
    await setUp(page, server);
    await narrowPhone(page);
    await use(server);
    await server.stop();
    expect(wrong).toEqual([]);
  },
});
