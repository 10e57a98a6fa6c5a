import { Bed, connect, waitFor } from '@selvedge/bed';
import { type Cluster, type ClusterMachine, upCluster } from '@selvedge/bed/clusters';
import { systemClock } from '@selvedge/kit';
import { bareMachine } from '../../e2e/support/bare-machine.ts';
import { edgeLiteExecutable } from '../../e2e/support/edge-lite-executable.ts';
import { installerPods, replacedBy } from '../../e2e/support/installer-pods.ts';
import { type InstallerProgram, installerProgram } from '../../e2e/support/installer-program.ts';
import { operatorOf } from '../../e2e/support/joining.ts';
import { type BenchRow, type Goal, row } from '../row.ts';

const rounds = 3;
const podsPerNode = 10;
const goal: Goal = { kind: 'at-most', value: 30 };
const { signal } = new AbortController();

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const beganMs = systemClock.monotonicMs();
  await work();
  return (systemClock.monotonicMs() - beganMs) / 1_000;
}

const renewTime = ['--namespace=kube-node-lease', '--output=jsonpath={.spec.renewTime}'];

/** What nobody can do without: the kubelet is started again, and the API server hears of it. */
async function restartKubelet({ kubectl }: Cluster, { name, machine }: ClusterMachine): Promise<void> {
  const nowMs = Number((await machine.exec(['date', '+%s%3N'])).stdout);
  await machine.exec(['systemctl', 'restart', 'kubelet']);
  await waitFor({ what: `a word of ${name}`, timeoutMs: 120_000, everyMs: 100 }, systemClock, async () => {
    const { stdout } = await kubectl(['get', 'lease', name, ...renewTime]);
    return Date.parse(stdout) > nowMs;
  });
  await kubectl(['wait', `node/${name}`, '--for=condition=Ready', '--timeout=120s']);
}

interface Conversions {
  readonly convert: number[];
  readonly revert: number[];
  /** Containers that ended though the plan does not say so: all but those of kube-proxy's pods, by id. */
  readonly restarts: number[];
}

const secondsOf = (times: readonly (number | undefined)[]): readonly number[] =>
  times.filter((ms) => ms !== undefined).map((ms) => ms / 1_000);

async function convertAndBack(
  cluster: Cluster,
  selvedge: InstallerProgram,
  seen: Conversions,
): Promise<void> {
  const names = cluster.workers.map(({ name }) => name);
  const there = await replacedBy(cluster, async () => {
    const { nodes } = await selvedge.convert(`--nodes=${names.join(',')}`);
    seen.convert.push(...secondsOf(nodes.map(({ durations }) => durations?.totalMs)));
  });
  const back = await replacedBy(cluster, async () => {
    const { nodes } = await selvedge.revert();
    seen.revert.push(...secondsOf(nodes.map(({ totalMs }) => totalMs)));
  });
  seen.restarts.push(there.disturbed.length + back.disturbed.length);
}

async function conversions(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const cluster = await upCluster({ layout: 'kubeadm', name: 'bench-conv' });
  stack.defer(() => cluster.down());
  await installerPods(cluster, podsPerNode);
  const selvedge = await installerProgram(cluster);
  const seen: Conversions = { convert: [], revert: [], restarts: [] };
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const worker of cluster.workers) bare.push(await seconds(() => restartKubelet(cluster, worker)));
    await convertAndBack(cluster, selvedge, seen);
  }
  const peer = { name: 'systemctl restart kubelet', values: bare };
  return [
    row({ id: 'installer.convert.node', unit: 's', ours: seen.convert, peer, goal }),
    row({ id: 'installer.revert.node', unit: 's', ours: seen.revert, peer }),
    row({ id: 'installer.restarts', unit: '', ours: seen.restarts, goal: { kind: 'at-most', value: 0 } }),
  ];
}

/** A bare machine that becomes a node, beside the start of the same edge-lite on it when it is one. */
async function joins(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const name = 'bench-join';
  const bed = await Bed.up({ name });
  stack.defer(() => Bed.down(name));
  const client = await connect(bed.kubeconfig, 'selvedge-bench');
  stack.defer(() => client.close());
  const site = { bed, client, signal };
  const node = 'bare-1';
  const bare = stack.use(await bareMachine(site, node));
  const operator = operatorOf(site, await edgeLiteExecutable());
  const [ours, starts]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const { id, secret } = await bed.createBootstrapToken();
    const options = await operator.options(node, `${id}.${secret}`);
    ours.push(await seconds(() => operator.join(bare.host, options)));
    starts.push(await seconds(() => bare.run('systemctl', 'restart', 'edge-lite')));
    await operator.reset(bare.host);
  }
  const peer = { name: 'systemctl restart edge-lite', values: starts };
  return [row({ id: 'installer.join', unit: 's', ours, peer, goal })];
}

/** How long a conversion, its way back and a join take, beside what they cannot do without. */
export async function installerBench(): Promise<readonly BenchRow[]> {
  return [...(await conversions()), ...(await joins())];
}
