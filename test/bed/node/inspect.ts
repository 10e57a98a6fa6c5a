import { run } from '@selvedge/hack/setup';
import { SelvedgeError, silentLogger } from '@selvedge/kit';
import {
  type Container,
  ContainerState,
  ListContainersRequest,
  ListPodSandboxRequest,
  RuntimeServiceDefinition,
  createClient,
  message,
} from '@selvedge/containerd-grpc-types';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import type { BedContext } from '../context.ts';
import { nodeOf } from '../description.ts';
import { machineFolders, machineSocket } from '../machine/index.ts';
import { existing } from '../operations.ts';

/** Which containers of a node. Everything that is given must fit. */
export interface ContainerFilter {
  readonly namespace?: string;
  /** The pod's name. */
  readonly pod?: string;
  /** The container's name in the pod. */
  readonly container?: string;
}

/** A container as the node's runtime knows it. */
export interface ContainerSummary {
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  /** How often it was started before: 0 for the first one. */
  readonly attempt: number;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
}

const states: Readonly<Record<number, ContainerSummary['state']>> = {
  [ContainerState.CONTAINER_CREATED]: 'created',
  [ContainerState.CONTAINER_RUNNING]: 'running',
  [ContainerState.CONTAINER_EXITED]: 'exited',
};

/** Source: k8s.io/kubelet `pkg/types/labels.go`. */
const labels = {
  namespace: 'io.kubernetes.pod.namespace',
  pod: 'io.kubernetes.pod.name',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

function summary(container: Container): ContainerSummary {
  const label = (name: keyof typeof labels): string => container.labels[labels[name]] ?? '';
  return {
    id: container.id,
    namespace: label('namespace'),
    pod: label('pod'),
    podUid: label('podUid'),
    container: label('container'),
    attempt: container.metadata?.attempt ?? 0,
    state: states[container.state] ?? 'unknown',
  };
}

type Runtime = ReturnType<typeof createClient<typeof RuntimeServiceDefinition>>;

/** The CRI socket, as this process sees it. */
async function runtimeSocket(context: BedContext, node: string): Promise<string> {
  const { kind } = nodeOf(await existing(context), node);
  if (kind === 'light') return context.folders.node(node).runtimeSocket;
  const machine = { name: node, cgroup: context.names.nodeCgroup(node) };
  return machineSocket(machine, machineFolders.runtimeSocket);
}

/** Asks the node's runtime; one connection for one question. */
async function askRuntime<T>(
  context: BedContext,
  node: string,
  question: (runtime: Runtime, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const endpoint = `unix://${await runtimeSocket(context, node)}`;
  const deps = { clock: context.clock, random: () => 0.5, log: silentLogger };
  const transport = createHttp2Transport({ endpoint }, deps);
  try {
    return await question(createClient(RuntimeServiceDefinition, transport), new AbortController().signal);
  } finally {
    await transport.close();
  }
}

/** The containers of a node, dead ones too, the newest first. */
export async function listContainers(
  context: BedContext,
  node: string,
  filter: ContainerFilter = {},
): Promise<readonly ContainerSummary[]> {
  const { containers } = await askRuntime(context, node, (runtime, signal) =>
    runtime.listContainers(message(ListContainersRequest, {}), { signal }),
  );
  const wanted = Object.entries(filter) as [keyof ContainerFilter, string][];
  return containers
    .toSorted((a, b) => Number(b.createdAt - a.createdAt))
    .map(summary)
    .filter((each) => wanted.every(([field, value]) => each[field] === value));
}

/** The uids of the pods that have a sandbox on the node, dead or alive. */
export async function listSandboxes(context: BedContext, node: string): Promise<readonly string[]> {
  const { items } = await askRuntime(context, node, (runtime, signal) =>
    runtime.listPodSandbox(message(ListPodSandboxRequest, {}), { signal }),
  );
  return items.map((sandbox) => sandbox.metadata?.uid ?? '');
}

/** Ends the one running container that fits with SIGKILL, as if its program had crashed. */
export async function killContainer(
  context: BedContext,
  node: string,
  filter: ContainerFilter,
): Promise<void> {
  const fitting = await listContainers(context, node, filter);
  const [container, second] = fitting.filter(({ state }) => state === 'running');
  if (container === undefined || second !== undefined) {
    const count =
      container === undefined ? 'no running container fits' : 'more than one running container fits';
    throw new SelvedgeError(`${count} ${JSON.stringify(filter)} on ${node}`, { code: 'NotFound' });
  }
  const { ctr } = await context.setup.assets({ binaries: ['ctr'] as const });
  const where = ['--address', await runtimeSocket(context, node), '--namespace', 'k8s.io'];
  await run({ argv: [ctr, ...where, 'tasks', 'kill', '--signal', 'SIGKILL', container.id] });
}
