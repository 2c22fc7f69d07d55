// An app is paired by the picture in the browser, which another program reads; the device is listed, and revoked.
import jsQR from 'jsqr';
import { expect } from '@playwright/test';
import { ask, organisation } from '../newcomer.ts';
import { test } from '../own-server.ts';
import { examine } from '../whole.ts';

test('the picture pairs an app, once', async ({ page, server }) => {
  await ask(page, server, 'PUT', 'config', { toml: organisation() });
  await ask(page, server, 'PUT', 'accounts/li', { person: 'li' });
  await page.goto(`${server.url}/me`);
  await page.getByRole('button', { name: 'Show the code' }).click();
  const picture = page.getByRole('img', { name: /code/i });
  await expect(picture).toBeVisible();
  await examine(page, 'pairing');

  const side = 240;
  const pixels = await picture.evaluate((image: HTMLImageElement, side) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
    const context = canvas.getContext('2d')!;
    context.drawImage(image, 0, 0, side, side);
    return Array.from(context.getImageData(0, 0, side, side).data);
  }, side);
  const read = jsQR(Uint8ClampedArray.from(pixels), side, side);
  const [address, code] = read!.data.split('#');
  expect(new URL(address).pathname).toBe('/pair');
  await expect(page.locator('code', { hasText: code })).toBeVisible();
  // Read by a camera instead, it leads to a word about it and gives the code to nobody.
  const opened = await page.context().request.get(`${server.url}/pair`);
  expect(await opened.text()).toContain('This code is for an app');

  const body = { code, name: 'Our app', platform: 'android', provider: 'none' };
  const pair = () => page.context().request.post(`${server.url}/api/v1/mobile/pair`, { data: body });
  const paired = await (await pair()).json();
  expect(paired.person).toBe('li');
  expect((await (await pair()).json()).code).toBe('wrong_pairing_code');
  const { items } = await ask(page, server, 'GET', 'me/devices');
  expect(items.map((device: { label: string }) => device.label)).toEqual(['Our app']);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Remove Our app' })).toBeVisible();
  await examine(page, 'paired');
});
