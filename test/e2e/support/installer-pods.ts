import type { Cluster, RunningTask } from '@selvedge/bed/clusters';
import { type PodInput, pod, shell, webServer } from './pods.ts';
import { until } from './programs.ts';

/** Of the Service that all pods of a test are behind. */
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080 }] },
} as const;

/**
 * Asks the Service over and over, with a connection for each request; tells each request that was lost, and from time to time
 * that none was. A pause between two, or it would take a processor.
 */
const client = shell(
  `n=0; while :; do n=$((n+1))
  wget -q -O /dev/null "http://$WEB_SERVICE_HOST/hostname" || echo "lost $n"
  [ $((n % 10)) -ne 0 ] || echo "asked $n"
  usleep 50000; done`,
);

const labels = { app: 'web' } as const;
/** It cannot be reached for as long as it does not answer: then it is not counted as lost. */
const readinessProbe = { httpGet: { path: '/healthz', port: 8_080 }, periodSeconds: 1 } as const;

const withKind = (input: PodInput): object => ({ apiVersion: 'v1', kind: 'Pod', ...pod(input) });

/** So many pods on each worker, bound by name: servers of one Service, and on each a client of it. */
export async function installerPods(cluster: Cluster, perNode: number): Promise<void> {
  const { kubectl } = cluster;
  const pods = cluster.workers.flatMap(({ name: node }) => [
    ...Array.from({ length: perNode - 1 }, (_, at) =>
      withKind({ name: `web-${node}-${at}`, node, labels, containers: [webServer({ readinessProbe })] }),
    ),
    withKind({ name: `client-${node}`, node, containers: [client] }),
  ]);
  const apply = async (objects: readonly object[]): Promise<void> => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await kubectl(['apply', '--filename=-'], { input: JSON.stringify(list) });
  };
  await until('the default service account', async () => {
    await kubectl(['get', 'serviceaccount', 'default']);
    return true;
  });
  // Pods are told of the Services that are there before them.
  await apply([service]);
  await apply(pods);
  await kubectl(['wait', 'pod', '--all', '--for=condition=Ready', '--timeout=180s']);
  for (const { name } of cluster.workers)
    await until(`requests of ${name}`, async () => (await tallyOf(cluster, name)).asked > 0);
}

/** What a client has seen since its pod was started. */
export interface ClientTally {
  /** Requests, to the last ten, whichever of its containers made them. */
  readonly asked: number;
  readonly lost: readonly string[];
}

/** Of the client on a worker, from its log there: the cloud is not asked. */
async function tallyOf({ workers }: Cluster, node: string): Promise<ClientTally> {
  const machine = workers.find(({ name }) => name === node)?.machine;
  if (machine === undefined) throw new TypeError(`no worker is called ${node}`);
  const { stdout } = await machine.exec([
    'sh',
    '-c',
    `cat /var/log/pods/default_client-${node}_*/main/*.log`,
  ]);
  const said = stdout.split('\n').map((line) => line.split(' ').slice(3).join(' '));
  const tens = said.filter((line) => line.startsWith('asked')).length;
  return { asked: 10 * tens, lost: said.filter((line) => line.startsWith('lost')) };
}

/** Of the clients on all workers, in their order. */
export const talliesOf = (cluster: Cluster): Promise<readonly ClientTally[]> =>
  Promise.all(cluster.workers.map(({ name }) => tallyOf(cluster, name)));

/** The requests that were lost between two looks. */
export const lostSince = (before: readonly ClientTally[], after: readonly ClientTally[]): readonly string[] =>
  after.flatMap(({ lost }, at) => lost.slice(before[at]?.lost.length ?? 0));

/** Waits until each client has got ten more answers. A request to a pod that is gone takes two minutes to fail. */
export async function requestsGoOn(cluster: Cluster, timeoutMs = 300_000): Promise<void> {
  for (const { name } of cluster.workers) {
    const { asked } = await tallyOf(cluster, name);
    const more = async (): Promise<boolean> => (await tallyOf(cluster, name)).asked > asked;
    await until(`requests of ${name}`, more, timeoutMs);
  }
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string };
    readonly status: {
      readonly containerStatuses?: readonly {
        readonly containerID?: string;
        readonly restartCount: number;
        readonly state: { readonly running?: { readonly startedAt: string } };
      }[];
    };
  }[];
}

/** Every pod of the test with its uid, its container, how often and when it was started, as the cloud has it. */
export async function runsOf({ kubectl }: Cluster): Promise<Readonly<Record<string, string>>> {
  const { items } = JSON.parse((await kubectl(['get', 'pods', '--output=json'])).stdout) as PodList;
  return Object.fromEntries(
    items.map(({ metadata, status }) => {
      const [one] = status.containerStatuses ?? [];
      const run = [metadata.uid, one?.containerID, one?.restartCount, one?.state.running?.startedAt];
      return [metadata.name, run.join(' ')];
    }),
  );
}

/** What runs on each worker, as its own runtime and kernel have it. */
export async function tasksOf(cluster: Cluster): Promise<ReadonlyMap<string, readonly RunningTask[]>> {
  const all = cluster.workers.map(async ({ name }) => [name, await cluster.tasks(name)] as const);
  return new Map(await Promise.all(all));
}

/** The containers of kube-proxy's pods on the workers, sandboxes too, each as `gone` names it; where it is no pod there are none. */
async function proxyTasksOf({ workers }: Cluster): Promise<ReadonlySet<string>> {
  const isProxy = 'labels."io.kubernetes.pod.name"~="^kube-proxy-"';
  const list = ['--namespace', 'k8s.io', 'containers', 'list', '--quiet', isProxy] as const;
  const all = workers.map(async ({ name, machine, runtimeSocket }) => {
    const { stdout } = await machine.exec(['ctr', '--address', runtimeSocket, ...list]);
    return stdout.split('\n').flatMap((id) => (id === '' ? [] : [`${name} ${id}`]));
  });
  return new Set((await Promise.all(all)).flat());
}

type Tasks = ReadonlyMap<string, readonly RunningTask[]>;

/** Those of before that do not run any more as they did. */
export function gone(before: Tasks, after: Tasks): readonly string[] {
  return [...before].flatMap(([node, tasks]) => {
    const still = new Set(after.get(node)?.map(({ id, pid }) => `${id} ${pid}`));
    return tasks.filter(({ id, pid }) => !still.has(`${id} ${pid}`)).map(({ id }) => `${node} ${id}`);
  });
}

/** What became of that which ran on the workers. */
export interface Replaced {
  /** Kube-proxy's containers that go on, though they are replaced by design. */
  readonly keptProxies: readonly string[];
  /** All others that ended. */
  readonly disturbed: readonly string[];
}

/** What a conversion, or its way back, replaces on all workers. */
export async function replacedBy(cluster: Cluster, work: () => Promise<void>): Promise<Replaced> {
  const [before, proxies] = [await tasksOf(cluster), await proxyTasksOf(cluster)];
  await work();
  const after = await tasksOf(cluster);
  const ended = new Set(gone(before, after));
  const ran = [...before].flatMap(([node, tasks]) => tasks.map(({ id }) => `${node} ${id}`));
  return {
    keptProxies: ran.filter((task) => proxies.has(task) && !ended.has(task)),
    disturbed: [...ended].filter((task) => !proxies.has(task)),
  };
}
