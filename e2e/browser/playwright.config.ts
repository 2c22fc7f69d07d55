// How the browser tests run. `cargo xtask test` sets TOCSIN_BIN (the server to start) and TOCSIN_CHROMIUM (the
// browser); `demo.ts` starts that server once.
import { defineConfig, devices } from "@playwright/test";

const runsAsRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "./tests",
  // Played by e2e/tests/path.rs, e2e/tests/load.rs and `cargo xtask bench page`, which start the server and send the alerts; they would
  // only be skipped here.
  testIgnore: [
    ...(process.env.TOCSIN_PATH_URL ? [] : ["**/path.spec.ts"]),
    ...(process.env.TOCSIN_LOAD_URL ? [] : ["**/load.spec.ts"]),
    ...(process.env.TOCSIN_PAGE_URL ? [] : ["**/first-content.spec.ts"]),
  ],
  globalSetup: "./demo.ts",
  outputDir: "./test-results",
  // A test that passes on the second try is a failed test.
  retries: 0,
  forbidOnly: true,
  // The browser, the server and a debug build of the page share the cores of a small machine; what waits for one of them
  // leaves the cores to another test: with two at a time a third of two cores was idle. Each spec changes a server of its
  // own; the demo's is only looked at.
  workers: 3,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["json", { outputFile: "./report/results.json" }]],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    // Recording takes a seventh of the time; `npx playwright test --trace on` where a failure needs a closer look.
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.TOCSIN_CHROMIUM ?? "/usr/bin/chromium",
      // The sandbox refuses to run as root, and /dev/shm is tiny in containers.
      args: ["--disable-dev-shm-usage", ...(runsAsRoot ? ["--no-sandbox"] : [])],
    },
  },
  // What only a mouse or only a finger does is tagged so, and is no test of the other; what no size of a screen changes is
  // done on one of them.
  projects: [
    { name: "desktop", grepInvert: /@phone/, use: { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 800 } } },
    { name: "phone", grepInvert: /@desktop/, use: { ...devices["Pixel 7"] } },
  ],
});
