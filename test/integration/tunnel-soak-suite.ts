import { createTaskGroup, isAbort, systemClock, type Clock, type Random } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { expect } from 'vitest';
import { freePort } from '../bed/free-port.ts';
import { type Authority, newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { startResetProxy, type ResetProxy } from '../contract/reset-proxy.ts';
import type { SoakLevel } from './tunnel-soak-main.ts';
import { Member, issue } from './tunnel-soak-member.ts';
import { soakStream, startSoakTargets, type StreamOutcome } from './tunnel-soak-streams.ts';

export interface SoakOptions {
  readonly durationMs: number;
  readonly seed: number;
  /** Between two faults, at most. */
  readonly faultEveryMs: number;
}

export interface SoakReport {
  readonly streams: Record<StreamOutcome, number>;
  /** What should not have been. */
  readonly bad: readonly string[];
  readonly faults: Record<string, number>;
  /** Of each process that lived from the beginning to the end: before, and after. */
  readonly levels: Record<string, readonly [SoakLevel, SoakLevel]>;
}

const clock: Clock = systemClock;
const mib = 1024 * 1024;
const timeouts = { quietMs: 1_500, pingMs: 1_500, drainMs: 3_000 };
const workers = 6;
const agents = ['agent-1', 'agent-2', 'agent-3'];

interface Cast {
  readonly members: Readonly<Record<'server-1' | 'server-2' | 'agent-1' | 'agent-2' | 'agent-3', Member>>;
  /** Between each agent and each server. */
  readonly links: readonly ResetProxy[];
  readonly egressPorts: readonly number[];
}

async function startCast(authority: Authority, stack: AsyncDisposableStack): Promise<Cast> {
  const ports = await Promise.all(Array.from({ length: 4 }, freePort));
  const [tunnels, egressPorts] = [ports.slice(0, 2), ports.slice(2)];
  const request = { commonName: 'server', addresses: ['127.0.0.1'] };
  const server = async (at: 0 | 1): Promise<Member> => {
    const [tunnelPort = 0, egressPort = 0] = [tunnels[at], egressPorts[at]];
    const other = `127.0.0.1:${egressPorts[1 - at]}`;
    const credentials = await issue(authority, request);
    const setup = { role: 'server', credentials, timeouts, tunnelPort, egressPort, other } as const;
    return stack.use(await new Member(setup).start());
  };
  const links: ResetProxy[] = [];
  const agent = async (name: string): Promise<Member> => {
    const own = [];
    for (const port of tunnels) own.push(stack.use(await startResetProxy(port)));
    links.push(...own);
    const organizations = ['system:nodes'];
    const credentials = await issue(authority, { commonName: `system:node:${name}`, organizations });
    const servers = own.map(({ port }) => `127.0.0.1:${port}`);
    return stack.use(await new Member({ role: 'agent', credentials, timeouts, servers }).start());
  };
  const members = {
    'server-1': await server(0),
    'server-2': await server(1),
    'agent-1': await agent('agent-1'),
    'agent-2': await agent('agent-2'),
    'agent-3': await agent('agent-3'),
  };
  return { members, links, egressPorts };
}

interface Chaos {
  readonly random: Random;
  readonly faultEveryMs: number;
  readonly count: (what: string) => void;
}

/** One fault after the other. What lives on throughout is never restarted: a server and two agents. */
async function disturb(
  { members, links }: Cast,
  { random, faultEveryMs, count }: Chaos,
  signal: AbortSignal,
): Promise<void> {
  const wait = (): Promise<void> => clock.sleep(random() * faultEveryMs, signal);
  const link = (): ResetProxy | undefined => links[Math.floor(random() * links.length)];
  const restart = async (member: Member, how: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await member.stop(how);
    await clock.sleep(random() * faultEveryMs);
    await member.start();
  };
  const faults: Record<string, () => Promise<unknown>> = {
    reset: async () => link()?.reset(),
    resetMidway: async () => link()?.resetAfter(Math.floor(random() * 200_000)),
    async blackhole() {
      const one = link();
      one?.freeze();
      await wait().finally(() => one?.thaw());
    },
    async refusal() {
      const one = link();
      one?.refuse();
      await wait().finally(() => one?.allow());
    },
    serverRestart: () => restart(members['server-2'], 'SIGTERM'),
    serverKill: () => restart(members['server-2'], 'SIGKILL'),
    agentRestart: () => restart(members['agent-3'], 'SIGTERM'),
    agentKill: () => restart(members['agent-3'], 'SIGKILL'),
  };
  const names = Object.keys(faults);
  for (;;) {
    await wait();
    const name = names[Math.floor(random() * names.length)] ?? 'reset';
    count(name);
    await faults[name]?.();
  }
}

const veterans = ['server-1', 'agent-1', 'agent-2'] as const;

/** Neither sockets nor descriptors that were not there before: what ends takes a moment to be closed. */
const isBack = (level: SoakLevel, before: SoakLevel | undefined): boolean =>
  before === undefined || (level.sockets <= before.sockets && level.fds <= before.fds);

/** Nothing goes on, and everybody is connected; whoever lived throughout is back at what he held before. */
async function settled(
  { members }: Cast,
  before: Readonly<Record<string, SoakLevel | undefined>> = {},
): Promise<Record<string, SoakLevel>> {
  return waitFor(
    { what: 'everything to be quiet', timeoutMs: 90_000, everyMs: 500 },
    systemClock,
    async () => {
      const all = await Promise.all(
        Object.entries(members).map(async ([name, one]) => [name, await one.level()] as const),
      );
      const quiet = all.every(
        ([name, { streams, sessions }]) =>
          streams === 0 && sessions === (name.startsWith('server') ? agents.length : 2),
      );
      const back = all.every(([name, level]) => isBack(level, before[name]));
      if (!quiet || !back) throw new Error(JSON.stringify(all));
      return Object.fromEntries(all);
    },
  );
}

/** Streams without a pause from a number of workers, beside faults, for so long. */
async function churn(
  cast: Cast,
  chaos: Chaos & { readonly durationMs: number },
  one: () => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void (isAbort(error) || failures.push(error));
  const tasks = createTaskGroup({ name: 'soak' }, { onFailure });
  const until = systemClock.monotonicMs() + chaos.durationMs;
  tasks.run('faults', (signal) => disturb(cast, chaos, signal));
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (systemClock.monotonicMs() < until) {
        await one();
        await clock.sleep(chaos.random() * 100);
      }
    }),
  );
  await tasks.stop();
  expect(failures).toEqual([]);
}

/**
 * Streams through two servers and three agents, each a process, while links break, freeze and refuse, and processes are
 * restarted and killed. At the end each process that lived throughout holds what it held before.
 */
export async function soakTunnel({ durationMs, seed, faultEveryMs }: SoakOptions): Promise<SoakReport> {
  const random = seededRandom(seed);
  const authority = await openAuthority(await newAuthority('soak', Date.now()), { now: () => Date.now() });
  await using stack = new AsyncDisposableStack();
  const targets = stack.use(await startSoakTargets());
  const cast = await startCast(authority, stack);
  const streams = { complete: 0, broken: 0, refused: 0, wrong: 0, hung: 0 };
  const bad: string[] = [];
  const faults: Record<string, number> = {};
  const deps = {
    targets,
    agents,
    egressPorts: cast.egressPorts,
    ca: authority.keyPair.certificate,
    pair: await authority.issue({ commonName: 'driver' }),
    random,
    kills: () => faults['serverKill'] ?? 0,
  };
  const one = async (): Promise<void> => {
    const [outcome, kind] = await soakStream(deps);
    streams[outcome] += 1;
    if (outcome === 'wrong' || outcome === 'hung') bad.push(`${kind} ${outcome}`);
  };
  const chaos = { random, faultEveryMs, count: (what: string) => (faults[what] = (faults[what] ?? 0) + 1) };
  // Code is compiled and pools are filled before anything is measured.
  await churn(cast, { ...chaos, durationMs: durationMs / 5 }, one);
  const before = await settled(cast);
  await churn(cast, { ...chaos, durationMs: (durationMs * 4) / 5 }, one);
  const lived = Object.fromEntries(veterans.map((name) => [name, before[name]]));
  const after = await settled(cast, lived);
  const levels: Record<string, readonly [SoakLevel, SoakLevel]> = {};
  for (const name of veterans) {
    const [first, last] = [before[name], after[name]];
    if (first !== undefined && last !== undefined) levels[name] = [first, last];
  }
  return { streams, bad, faults, levels };
}

/** No stream lied or hung, most did what they were for, and nothing is left of any. */
export function judgeSoak({ streams, bad, levels }: SoakReport): void {
  expect(bad).toEqual([]);
  expect(streams.complete).toBeGreaterThan(streams.broken + streams.refused);
  expect(Object.keys(levels)).toEqual([...veterans]);
  for (const [first, last] of Object.values(levels)) {
    expect([last.sessions, last.streams]).toEqual([first.sessions, first.streams]);
    expect(last.sockets).toBeLessThanOrEqual(first.sockets);
    expect(last.fds).toBeLessThanOrEqual(first.fds);
    expect(last.heapBytes).toBeLessThan(first.heapBytes + 8 * mib);
    expect(last.rssBytes).toBeLessThan(first.rssBytes + 48 * mib);
  }
}
