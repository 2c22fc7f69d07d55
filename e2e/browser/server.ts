// Starts the server under test on a free port with an empty folder, and ends it.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A debug build on a busy machine of two cores.
const PATIENCE_MS = 60_000;

export interface Server {
  url: string;
  /** Where it keeps everything. */
  folder: string;
  /** What the server prints that has this form, now or later. */
  said(form: RegExp): Promise<RegExpMatchArray>;
  stop(): Promise<void>;
}

/** Does not wait until it answers: what it prints then depends on `options`. */
export async function start(program: string, ...options: string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-browser-"));
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(program, ["serve", ...options, "--data", folder, "--listen", address], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return {
    url: `http://${address}`,
    folder,
    said: listenTo(server),
    stop: async () => {
      if (server.exitCode === null && server.signalCode === null) {
        const gone = new Promise((resolve) => server.once("exit", resolve));
        server.kill("SIGTERM");
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
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
