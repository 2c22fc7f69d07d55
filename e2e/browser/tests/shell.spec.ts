// The application starts under the server's content policy and asks a stranger to sign in.
import { expect, test } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, Server } from 'node:http';
import { extname, join } from 'node:path';

const dist = new URL('../../../dist', import.meta.url).pathname;
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json' };
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'";
let server: Server;
let origin: string;

// Stands in for the server until `tocsin serve` exists: the files as built, and nobody is signed in.
test.beforeAll(async () => {
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/api/v1/setup') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"needed":false}');
    } else if (path.startsWith('/api/')) {
      response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"status":401,"code":"not_signed_in","title":"Sign in first"}');
    } else {
      const file = join(dist, path);
      const found = existsSync(file) && statSync(file).isFile() ? file : join(dist, 'index.html');
      response.writeHead(200, { 'content-type': types[extname(found)] ?? 'application/octet-stream', 'content-security-policy': policy });
      createReadStream(found).pipe(response);
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  origin = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
});
test.afterAll(() => server.close());

test('a stranger is asked to sign in', async ({ page }) => {
  await page.goto(origin);
  await expect(page.getByTestId('signin-login')).toBeVisible();
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations).toEqual([]);
});
