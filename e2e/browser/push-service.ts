// What a browser's maker would run: a push service that somebody else wrote (web-push-testing), with one subscription of it.
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { ask } from "./newcomer.ts";
import type { Server } from "./server.ts";

const load = createRequire(import.meta.url);

export interface PushService<Message> {
  endpoint: string;
  keys: { p256dh: string; auth: string };
  /** Everything pushed so far, decrypted. */
  messages(): Message[];
  expire(): void;
  stop(): Promise<void>;
}

/** Subscribed with the key of that server, which knows nothing of it yet. */
export async function pushService<Message>(page: Page, server: Server): Promise<PushService<Message>> {
  const { key } = await ask(page, server, "GET", "push/key");
  const { PushApiModel } = load("web-push-testing/src/PushApiModel.js");
  const PushServer = load("web-push-testing/src/server.js");
  const model = new PushApiModel();
  const running = new PushServer(model, 0);
  running.startServer();
  await new Promise((done) => running._server.once("listening", done));
  model.notifyUrl = `http://localhost:${(running._server.address() as AddressInfo).port}/notify/`;
  const { endpoint, keys, clientHash } = await model.subscribe({ userVisibleOnly: "true", applicationServerKey: key });
  return {
    endpoint,
    keys,
    messages: () => (model.messages[clientHash] ?? []).map((text: string) => JSON.parse(text)),
    expire: () => model.expireSubscription(clientHash),
    stop: () => new Promise((done) => running._server.close(() => done())),
  };
}
