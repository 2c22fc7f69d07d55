// Starts the server under test with its demo organisation, once for all specs, and ends it afterwards.
import { start } from "./server.ts";

/** The specs find the server by TOCSIN_URL, TOCSIN_LOGIN and TOCSIN_PASSWORD. */
export default async function demo(): Promise<() => Promise<void>> {
  const program = process.env.TOCSIN_BIN;
  // e2e/tests/path.rs, e2e/tests/load.rs and the benchmark bring their own server.
  const { TOCSIN_URL, TOCSIN_PATH_URL, TOCSIN_LOAD_URL, TOCSIN_PAGE_URL } = process.env;
  if (!program || TOCSIN_URL || TOCSIN_PATH_URL || TOCSIN_LOAD_URL || TOCSIN_PAGE_URL) {
    return async () => {};
  }
  const server = await start(program, "--demo");
  try {
    const [, login, password] = await server.said(/sign in as `(.+?)` with the password `(.+?)`/);
    await server.said(/^Open |listens on/m);
    Object.assign(process.env, { TOCSIN_URL: server.url, TOCSIN_LOGIN: login, TOCSIN_PASSWORD: password });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return () => server.stop();
}
