// An address that nobody knows is asked for on its segment, from the page: who answers, who does not, and who was asked.
// The agent is this test's own, so that it says what the test wants.
import { expect, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { ask, organisation } from '../newcomer.ts';
import { test } from '../own-server.ts';
import type { Server } from '../server.ts';
import { examine } from '../whole.ts';

const THERE = '10.7.0.20';
const MAC = '52:54:00:00:00:20';
const SOURCE = '\n[[sources]]\nid = "segment-a"\nkind = "agents"\nprobe = ["10.7.0.0/24"]\n';

interface Answer {
  probe: string[];
}

/** Reports until `signal` says to stop, and answers for one address only. */
async function agent(server: Server, signal: AbortSignal): Promise<void> {
  const create = ['token', 'create', '--kind', 'agent', '--name', 'segment-a/web01', '--data', server.folder];
  const token = execFileSync(process.env.TOCSIN_BIN!, create, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let probed: { ip: string; outcome: string }[] = [];
  while (!signal.aborted) {
    const answered = probed.some(({ outcome }) => outcome === 'answered');
    const neighbours = answered ? [{ interface: 'eth0', ip: THERE, mac: MAC, age_ms: 0 }] : [];
    const interfaces = [{ name: 'eth0', mac: '52:54:00:00:00:07', ips: ['10.7.0.7/24'] }];
    const known = { agent: 'web01', version: '9.9.9', run: 1, every_ms: 30_000, hold_ms: 30_000, whole: true };
    const body = JSON.stringify({ ...known, probe: ['10.7.0.0/24'], interfaces, neighbours, probed });
    const sent = await fetch(`${server.url}/agent/v1/report`, { method: 'POST', headers, body, signal });
    const { probe } = (await sent.json()) as Answer;
    probed = probe.map((ip) => ({ ip, outcome: ip === THERE ? 'answered' : 'nobody' }));
  }
}

async function lookUp(page: Page, text: string): Promise<void> {
  await page.getByTestId('machine-text').fill(text);
  await page.getByTestId('machine-text').press('Enter');
}

test('an address that nobody knows is asked for on its segment', async ({ page, server }) => {
  test.slow();
  await ask(page, server, 'PUT', 'config', { toml: organisation() + SOURCE });
  const stop = new AbortController();
  const reporting = agent(server, stop.signal).catch((error: Error) => error.name);
  await page.goto(`${server.url}/machines`);
  await expect(page.getByTestId('sources')).toContainText('web01 answers · 0 neighbours · 9.9.9 · may look in 10.7.0.0/24');

  await test.step('outside every prefix there is nobody to ask', async () => {
    await lookUp(page, '10.8.0.20');
    await expect(page.getByTestId('found')).toContainText('Nothing is known of 10.8.0.20.');
    await expect(page.getByTestId('ask-segment')).toHaveCount(0);
  });

  await test.step('who is there is found, with who says so', async () => {
    await lookUp(page, THERE);
    await page.getByTestId('ask-segment').click();
    await expect(page.getByTestId('asked')).toContainText(`${THERE} ${MAC} answered segment-a / web01`);
    const way = page.getByTestId('found').getByRole('list', { name: 'The way to unknown machine' });
    await expect(way.getByRole('listitem')).toHaveText([
      /IP.*10\.7\.0\.20.*a neighbour answered.*segment-a.*fair/,
      /Interface.*52:54:00:00:00:20.*a neighbour answered/,
    ]);
    await examine(page, 'segment answered');
  });

  await test.step('that nobody answered is an answer', async () => {
    await lookUp(page, '10.7.0.21');
    await page.getByTestId('ask-segment').click();
    await expect(page.getByTestId('asked')).toContainText('10.7.0.21 nobody answered segment-a / web01');
    await examine(page, 'segment nobody');
  });

  stop.abort();
  expect(await reporting).toBe('AbortError');
});
