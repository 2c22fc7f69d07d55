// Hosts that a test measures: their past and what they say now, sent as their agents would.
import { expect, type Page } from '@playwright/test';
import { ask } from './newcomer.ts';
import type { Server } from './server.ts';

/** Series of one host, each a function of how many minutes ago it was. */
export type Measures = Record<string, (minutesAgo: number) => number>;

export interface Measured {
  /** What it measures at this moment, with other values where some are given. */
  say(other?: Record<string, number>): Promise<void>;
}

const SERIES: Measures = {
  'cpu.busy': (ago) => 20 + (ago % 10),
  'cpu.user': (ago) => 15 + (ago % 10),
  'cpu.system': () => 4,
  'cpu.iowait': () => 1,
  'cpu.idle': (ago) => 79 - (ago % 10),
  'load.1min': (ago) => 1 + (ago % 5) / 10,
  'load.5min': () => 1.1,
  'load.15min': () => 1.2,
  'mem.memtotal': () => 8 * 2 ** 30,
  'mem.memused': () => 3 * 2 ** 30,
  'mem.memfree': () => 2 ** 30,
  'mem.memused.percent': () => 37.5,
  'disk.io.util/device=vda': () => 12,
  'disk.io.await/device=vda': () => 1.5,
  'df.bytes.used.percent/fstype=ext4,mount=/': () => 61,
  'net.if.in.bits/iface=eth0': (ago) => 4e6 + 1e5 * (ago % 7),
  'net.if.out.bits/iface=eth0': () => 9e6,
  'ss.estab': () => 120,
  'ss.timewait': () => 40,
  'pids.current': () => 180,
  'pids.max': () => 32768,
  'queue.length/name=mails': (ago) => 7 + (ago % 3),
};

const FACTS = {
  os: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-26-amd64', arch: 'x86_64', cpu_model: 'Test CPU', cpus: 4,
  memory_bytes: 8 * 2 ** 30, swap_bytes: 0, ips: ['10.9.0.7'], macs: ['52:54:00:09:00:07'], version: '0.1.0', missing: [],
};

function tables(at: number) {
  const core = (n: number) => ({ core: n, user: 15, nice: 0, system: 4, idle: 80, iowait: 1, irq: 0, softirq: 0, steal: 0, guest: 0 });
  return {
    at,
    processes: [{ pid: 812, name: 'nginx', user: 'www', state: 'S', cpu_percent: 31.5, rss_bytes: 2 ** 28, threads: 4, read_bytes_s: 0, write_bytes_s: 4096, command: 'nginx: worker' }],
    cores: [core(0), core(1), core(2), core(3)],
    cgroups: [{ path: '/system.slice/nginx.service', pids: 480, pids_max: 512, memory_bytes: 2 ** 29, memory_max_bytes: null, cpu_percent: 30 }],
    peers: [{ port: 3306, ours: false, established: 40, time_wait: 12000, close_wait: 3, other: 0, busiest: ['10.9.0.9', 40] }],
  };
}

/** An agent of its own for a host, with a past of so many minutes. */
export async function measured(page: Page, server: Server, agent: string, minutes = 90, own: Measures = {}): Promise<Measured> {
  const { token } = await ask(page, server, 'POST', 'hosts', { name: agent });
  const all = { ...SERIES, ...own };
  const series = Object.keys(all);
  const send = async (samples: { at: number; values: number[] }[], more: object) => {
    const data = { agent, sent_at: Date.now(), every_ms: 60000, series, samples, lost: 0, ...more };
    const answer = await page.context().request.post(`${server.url}/agent/v1/samples`, { data, headers: { authorization: `Bearer ${token}` } });
    expect(answer.ok(), `samples of ${agent}: ${await answer.text()}`).toBe(true);
  };
  const now = Date.now();
  const at = (n: number) => now - minutes * 60000 + n * 20000;
  const past = Array.from({ length: minutes * 3 }, (_, n) => ({ at: at(n), values: Object.values(all).map((of) => of(minutes - n / 3)) }));
  for (let n = 0; n < past.length; n += 300) await send(past.slice(n, n + 300), n === 0 ? { facts: { hostname: agent, ...FACTS } } : {});
  return {
    say: async (other = {}) => {
      const values = series.map((name) => other[name] ?? all[name]!(0));
      await send([{ at: Date.now(), values }], { tables: tables(Date.now()) });
    },
  };
}
