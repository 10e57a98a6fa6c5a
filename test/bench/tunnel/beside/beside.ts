import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { createPrivateControlPlane } from '../../../bed/control-plane/private-control-plane.ts';
import { useOfTree } from '../../process-tree.ts';
import { type BenchRow, type Goal, quantile, row } from '../../row.ts';
import { download, idle, request, setUp, shell, stall, upload } from './client.ts';
import { createKonnectivity } from './konnectivity.ts';
import { createSelvedge } from './selvedge.ts';
import { Processes, type Tunnel, type TunnelMaker, bytesOnTheLine } from './tunnel.ts';

/** Ours first. */
type Pair<T> = readonly [T, T];
type Makers = Pair<TunnelMaker>;

const rounds = 3;
const bytes = 200e6;
const parallel = 100;
const roundTripMs = 100;
const throughput: Goal = { kind: 'at-least-ratio', ratio: 3 };
const stalledCounts = [1, 10, 100];
const idleStreams = 100;
/** Idle bytes of an hour are those of this span, multiplied. */
const idleSpanMs = 120_000;
const trips = 200;
const ticksPerSecond = 100;

/** One measure of both, in turn, so often. */
async function inTurn(
  [ours, peer]: Pair<Tunnel>,
  times: number,
  measure: (tunnel: Tunnel) => Promise<number>,
): Promise<Pair<readonly number[]>> {
  const samples: Pair<number[]> = [[], []];
  for (let time = 0; time < times; time += 1) {
    samples[0].push(await measure(ours));
    samples[1].push(await measure(peer));
  }
  return samples;
}

/** Both at once; ended afterwards. */
async function withBoth<T>(
  makers: Makers,
  latencyMs: number,
  work: (tunnels: Pair<Tunnel>) => Promise<T>,
): Promise<T> {
  await using ours = await makers[0].start(latencyMs);
  await using peer = await makers[1].start(latencyMs);
  return await work([ours, peer]);
}

interface Result {
  readonly id: string;
  readonly unit: string;
  readonly samples: Pair<readonly number[]>;
  readonly quantile?: number;
  readonly goal?: Goal;
}

/** Rates, and what they cost server and agent: processor seconds for a GB. */
async function carried(
  tunnels: Pair<Tunnel>,
  id: string,
  carry: (tunnel: Tunnel) => Promise<number>,
): Promise<readonly Result[]> {
  const spent = { server: [[], []] as Pair<number[]>, agent: [[], []] as Pair<number[]> };
  const rates = await inTurn(tunnels, rounds, async (tunnel) => {
    const ticks = (side: 'server' | 'agent'): Promise<number> =>
      useOfTree(tunnel.pids[side]).then(({ cpuTicks }) => cpuTicks);
    const before = [await ticks('server'), await ticks('agent')] as const;
    const rate = await carry(tunnel);
    const at = tunnel === tunnels[0] ? 0 : 1;
    const perGigabyte = ticksPerSecond * (bytes / 1e9);
    spent.server[at].push(((await ticks('server')) - before[0]) / perGigabyte);
    spent.agent[at].push(((await ticks('agent')) - before[1]) / perGigabyte);
    return rate;
  });
  return [
    { id, unit: 'MB/s', samples: rates, goal: throughput },
    { id: `${id}.cpu.server`, unit: 's/GB', samples: spent.server },
    { id: `${id}.cpu.agent`, unit: 's/GB', samples: spent.agent },
  ];
}

async function near(tunnels: Pair<Tunnel>): Promise<readonly Result[]> {
  const down = await carried(tunnels, 'down', ({ entrance }) => download(entrance, bytes));
  const up = await carried(tunnels, 'up', ({ entrance }) => upload(entrance, bytes));
  const many = await carried(tunnels, `down.${parallel}streams`, ({ entrance }) =>
    download(entrance, bytes / parallel, parallel),
  );
  const opened = await inTurn(tunnels, 50, ({ entrance }) => setUp(entrance));
  const shells = [await shell(tunnels[0].entrance), await shell(tunnels[1].entrance)] as const;
  const typed: Pair<number[]> = [[], []];
  for (let trip = 0; trip < trips; trip += 1) {
    typed[0].push(await shells[0].type());
    typed[1].push(await shells[1].type());
  }
  for (const one of shells) one[Symbol.dispose]();
  return [...down, ...up, ...many, ...quantiles('open', opened), ...quantiles('keystroke', typed)];
}

async function far(tunnels: Pair<Tunnel>): Promise<readonly Result[]> {
  const unit = 'MB/s';
  const suffix = `${roundTripMs}ms`;
  const opened = await inTurn(tunnels, 20, ({ entrance }) => setUp(entrance));
  const down = await inTurn(tunnels, rounds, ({ entrance }) => download(entrance, bytes / 2));
  const up = await inTurn(tunnels, rounds, ({ entrance }) => upload(entrance, bytes / 2));
  return [
    { id: `open.${suffix}`, unit: 'ms', samples: opened },
    { id: `down.${suffix}`, unit, samples: down, goal: throughput },
    { id: `up.${suffix}`, unit, samples: up, goal: throughput },
  ];
}

const quantiles = (id: string, samples: Pair<readonly number[]>): readonly Result[] => [
  { id: `${id}.p50`, unit: 'ms', samples },
  { id: `${id}.p99`, unit: 'ms', samples, quantile: 0.99 },
];

/** How many times longer requests take than without stalled streams. */
function slowdown(
  samples: Pair<readonly number[]>,
  unloaded: Pair<readonly number[]>,
): Pair<readonly number[]> {
  const one = (side: 0 | 1): number[] => [quantile(samples[side], 0.5) / quantile(unloaded[side], 0.5)];
  return [one(0), one(1)];
}

/** Requests beside streams that nobody reads; each side has some seconds before, for its buffers to fill. */
async function requests(tunnels: Pair<Tunnel>, stalled: number): Promise<Pair<readonly number[]>> {
  using stack = new DisposableStack();
  for (const { entrance } of tunnels) stack.use(await stall(entrance, stalled));
  await systemClock.sleep(stalled === 0 ? 0 : 3_000);
  return await inTurn(tunnels, stalled === 0 ? 50 : 10, ({ entrance }) => request(entrance));
}

async function stalls(makers: Makers): Promise<readonly Result[]> {
  const unloaded = await withBoth(makers, 0, (tunnels) => requests(tunnels, 0));
  const results: Result[] = [...quantiles('request', unloaded)];
  for (const stalled of stalledCounts) {
    const samples = await withBoth(makers, 0, (tunnels) => requests(tunnels, stalled));
    const id = `request.${stalled}stalled`;
    const goal: Goal = { kind: 'at-most', value: 1.2 };
    results.push(...quantiles(id, samples));
    results.push({ id: `${id}.slowdown`, unit: 'x', samples: slowdown(samples, unloaded), goal });
  }
  return results;
}

async function memory(tunnels: Pair<Tunnel>, when: string): Promise<readonly Result[]> {
  const of = (
    side: 'server' | 'agent',
    field: 'residentMb' | 'anonymousMb',
  ): Promise<Pair<readonly number[]>> =>
    inTurn(tunnels, 1, async ({ pids }) => (await useOfTree(pids[side]))[field]);
  const one = async (side: 'server' | 'agent'): Promise<readonly Result[]> => [
    { id: `${side}.memory.resident.${when}`, unit: 'MB', samples: await of(side, 'residentMb') },
    { id: `${side}.memory.anonymous.${when}`, unit: 'MB', samples: await of(side, 'anonymousMb') },
  ];
  return [...(await one('server')), ...(await one('agent'))];
}

async function atRest(tunnels: Pair<Tunnel>): Promise<readonly Result[]> {
  const count = ({ agentPort }: Tunnel): Promise<number> => bytesOnTheLine(agentPort);
  const before = await Promise.all(tunnels.map(count));
  await systemClock.sleep(idleSpanMs);
  const after = await Promise.all(tunnels.map(count));
  const perHour = (side: 0 | 1): number[] => [
    (((after[side] ?? 0) - (before[side] ?? 0)) / 1e3) * (3_600_000 / idleSpanMs),
  ];
  const bytesPerHour = { id: 'idle.bytes', unit: 'kB/h', samples: [perHour(0), perHour(1)] } as const;
  const small = await memory(tunnels, 'idle');
  for (const { entrance } of tunnels) await idle(entrance, idleStreams);
  return [bytesPerHour, ...small, ...(await memory(tunnels, `${idleStreams}streams`))];
}

async function measureAll(makers: Makers): Promise<readonly Result[]> {
  const resting = await withBoth(makers, 0, atRest);
  const loopback = await withBoth(makers, 0, near);
  const wide = await withBoth(makers, roundTripMs / 2, far);
  return [...resting, ...loopback, ...wide, ...(await stalls(makers))];
}

async function startTarget(processes: Processes): Promise<number> {
  const argv = [process.execPath, join(import.meta.dirname, 'target-main.ts')];
  const { stdout } = processes.start(argv, 'pipe');
  if (stdout === null) throw new TypeError('the target has no output');
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string];
  return Number(line);
}

/** Our tunnel and konnectivity through the same line, from the port that the API server uses to the same target. */
export async function besideKonnectivity(): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-bench-beside-'));
  const assets = await ensureAssets({ binaries: ['etcd', 'kube-apiserver'] });
  const programs = { etcd: assets.etcd, apiServer: assets['kube-apiserver'] };
  const controlPlane = createPrivateControlPlane({ programs }, { clock: systemClock });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  stack.defer(() => controlPlane.stop());
  const processes = stack.use(new Processes());
  await controlPlane.start(new AbortController().signal);
  const targetPort = await startTarget(processes);
  const { ca } = controlPlane;
  const ours = await createSelvedge({ controlPlane, targetPort, folder });
  const peer = await createKonnectivity({ authority: controlPlane, ca, targetPort, folder });
  const results = await measureAll([ours, peer]);
  return results.map(({ id, samples: [own, others], ...rest }) =>
    row({ id: `tunnel.beside.${id}`, ours: own, peer: { name: peer.name, values: others }, ...rest }),
  );
}
