// Starts the server under test with its demo organisation, once for all specs, and ends it afterwards.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A debug build on a busy machine of two cores.
const PATIENCE_MS = 60_000;

/** The specs find the server by TOCSIN_URL, TOCSIN_LOGIN and TOCSIN_PASSWORD. */
export default async function start(): Promise<() => Promise<void>> {
  const program = process.env.TOCSIN_BIN;
  // e2e/tests/path.rs brings its own server.
  if (!program || process.env.TOCSIN_URL || process.env.TOCSIN_PATH_URL) {
    return async () => {};
  }
  const folder = mkdtempSync(join(tmpdir(), "tocsin-demo-"));
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(program, ["serve", "--demo", "--data", folder, "--listen", address], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = listenTo(server);
  try {
    const [, login, password] = await said(/sign in as `(.+?)` with the password `(.+?)`/);
    await said(/^Open |listens on/m);
    Object.assign(process.env, { TOCSIN_URL: `http://${address}`, TOCSIN_LOGIN: login, TOCSIN_PASSWORD: password });
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return async () => {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") {
    throw new Error("the system gave no port");
  }
  return address.port;
}

/** What the server prints, and a way to wait for something of a form. */
function listenTo(server: ChildProcess): (form: RegExp) => Promise<RegExpMatchArray> {
  let text = "";
  server.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return (form) =>
    new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        server.stdout?.off("data", look);
        settle();
      };
      const look = () => {
        const found = text.match(form);
        if (found) {
          done(() => resolve(found));
        }
      };
      const timer = setTimeout(() => done(() => reject(new Error(`the server did not print ${form}`))), PATIENCE_MS);
      server.once("exit", (code) => done(() => reject(new Error(`the server ended with ${code}`))));
      server.stdout?.on("data", look);
      look();
    });
}
