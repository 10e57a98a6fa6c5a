import { run } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import type { BedAssets } from '../assets.ts';
import type { BedContext } from '../context.ts';
import { type Api } from '../control-plane/api.ts';
import { createBootstrapToken } from '../control-plane/token.ts';
import { type BedDescription, type NodeDescription, cloudSite } from '../description.ts';
import type { NodeHost } from '../host/host.ts';
import { createLightHost } from '../host/light.ts';
import { createMachineHost } from '../machine/host.ts';
import type { MachineTools } from '../machine/tools.ts';
import { applyNetwork } from '../network/apply.ts';
import { namespaceSpecs } from '../network/spec.ts';
import type { Pki } from '../pki/pki.ts';
import { bedRegistryHost, trustRegistry } from '../registry/index.ts';
import { watchOver } from '../process/watch-over.ts';
import { waitFor } from '../wait.ts';
import type { NodeAgent } from './agent.ts';
import { type PodRange, conflistFile, podRoutes, renderConflist } from './cni.ts';
import { createNodeDns } from './dns.ts';
import { createHub, hubAccess } from './hub.ts';
import { createEdgeLite } from './lite.ts';
import { createKubeProxy, createKubelet } from './stock.ts';

/** What the nodes of a bed are made with. */
export interface NodeTools {
  readonly bed: BedDescription;
  readonly assets: BedAssets;
  readonly images: readonly string[];
  readonly pki: Pki;
  readonly api: Api;
  /** Undefined in a bed without machines. */
  readonly machines: MachineTools | undefined;
}

/** The part of a Node that the bed reads. Source: Kubernetes API, core/v1 Node. */
interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDR?: string };
  readonly status?: { readonly conditions?: readonly NodeCondition[] };
}

interface NodeCondition {
  readonly type: string;
  readonly status: string;
  /** RFC 3339, in whole seconds. */
  readonly lastHeartbeatTime?: string;
}

/** Makes the network of a node anew. */
export async function renewNetwork(
  context: BedContext,
  bed: BedDescription,
  node: string,
  signal?: AbortSignal,
): Promise<void> {
  const namespace = context.names.node(node);
  const make = namespaceSpecs(bed).filter(({ name }) => name === namespace);
  const steps = make.map((spec) => ({ kind: 'make', spec }) as const);
  await applyNetwork([{ kind: 'remove', namespace }, ...steps], context, signal);
}

function machinesOf({ machines }: NodeTools): MachineTools {
  if (machines !== undefined) return machines;
  throw new SelvedgeError('a bed without machines has no tools for them', { code: 'Internal' });
}

export function createHost(context: BedContext, tools: NodeTools, node: NodeDescription): NodeHost {
  const { names, clock, daemons } = context;
  const folders = context.folders.node(node.name);
  const options = { node, names, assets: tools.assets, images: tools.images };
  if (node.kind === 'light') return createLightHost({ ...options, folders }, { clock, daemons });
  return createMachineHost(
    { ...options, folder: folders.root, tools: machinesOf(tools) },
    { clock, renewNetwork: (signal) => renewNetwork(context, tools.bed, node.name, signal) },
  );
}

/** The programs that make the host a node. */
export interface Agents {
  /** Runs its pods, and what it cannot start without, in this order; the agent is the last. */
  readonly first: readonly NodeAgent[];
  /** Run once pods have addresses. */
  readonly beside: readonly NodeAgent[];
}

export function createAgents(
  context: BedContext,
  tools: NodeTools,
  host: NodeHost,
  node: NodeDescription,
): Agents {
  const hasHub = node.agent === 'converted' || node.agent === 'lite';
  const api = hasHub ? hubAccess(host.folders) : undefined;
  const options = { ...tools, node, names: context.names, api };
  const program = node.kind === 'light' ? context.edgeLite : machinesOf(tools).edgeLite;
  const deps = {
    host,
    clock: context.clock,
    createToken: (signal?: AbortSignal) =>
      createBootstrapToken(context.kubectl, { clock: context.clock, signal }),
  };
  const first = {
    stock: () => [createKubelet(options, deps)],
    converted: () => [createHub({ ...options, program }, deps), createKubelet(options, deps)],
    lite: () => [createEdgeLite({ ...options, program }, deps)],
    none: () => [],
  }[node.agent]();
  const kubeProxy = node.kubeProxy ? [createKubeProxy(options, deps)] : [];
  return { first, beside: node.dns ? [...kubeProxy, createNodeDns(options, deps)] : kubeProxy };
}

/** The ranges that the controller-manager gave to the nodes so far. */
async function podRanges(api: Api, signal: AbortSignal): Promise<readonly PodRange[]> {
  const list = JSON.parse(await api.get('/api/v1/nodes', signal)) as {
    readonly items: readonly NodeObject[];
  };
  return list.items.flatMap(({ metadata, spec }) =>
    spec.podCIDR === undefined ? [] : [{ node: metadata.name, podCidr: spec.podCIDR }],
  );
}

/** Marks the routes that the bed made among those of a node. */
const routeProtocol = 94;

/** Leads each node of a network to the pods of the others on it, and the cloud to those of its nodes. */
export async function syncPodRoutes(
  context: BedContext,
  tools: NodeTools,
  signal: AbortSignal,
): Promise<void> {
  const ranges = await podRanges(tools.api, signal);
  const places = tools.bed.nodes
    .filter((each) => each.powered)
    .map((node) => ({ ...node, namespace: context.names.node(node.name) }));
  for (const place of [...places, { name: '', site: cloudSite, namespace: context.names.cloud }]) {
    const routes = podRoutes(tools.bed, place, ranges).map((line) => `${line} proto ${routeProtocol}`);
    const input = [`route flush proto ${routeProtocol}`, ...routes, ''].join('\n');
    await run({ argv: ['ip', '-n', place.namespace, '-batch', '-'], input, signal });
  }
}

/** Writes the node's CNI configuration as soon as its range of addresses is known. */
async function connectPods(
  context: BedContext,
  tools: NodeTools,
  host: NodeHost,
  signal?: AbortSignal,
): Promise<void> {
  const { folders } = host;
  const wait = {
    what: `a pod range for node ${host.name}`,
    timeoutMs: 60_000,
    hint: `see ${context.folders.logs}`,
    signal,
  };
  const podCidr = await waitFor(wait, context.clock, async (attempt) => {
    const ranges = await podRanges(tools.api, attempt);
    return ranges.find((range) => range.node === host.name)?.podCidr;
  });
  const name = context.names.podNetwork(host.name);
  await host.writeFile(
    conflistFile(folders),
    renderConflist({ name, podCidr, addresses: folders.addresses }),
  );
}

/** Ready, and said so since `sinceMs`: a node that lost its power stays Ready for a while. Heartbeats are whole seconds. */
export function isReady(node: NodeObject, sinceMs: number): boolean {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return false;
  return Date.parse(ready.lastHeartbeatTime ?? '') >= Math.floor(sinceMs / 1_000) * 1_000;
}

async function waitUntilReady(
  context: BedContext,
  tools: NodeTools,
  node: { readonly name: string; readonly sinceMs: number },
  signal?: AbortSignal,
): Promise<void> {
  const { name, sinceMs } = node;
  const wait = {
    what: `Ready of node ${name}`,
    timeoutMs: 90_000,
    hint: `see ${context.folders.logs}`,
    signal,
  };
  await waitFor(wait, context.clock, async (attempt) =>
    isReady(JSON.parse(await tools.api.get(`/api/v1/nodes/${name}`, attempt)) as NodeObject, sinceMs),
  );
}

/** True if the last of them was started just now: if it is the one that runs the pods, the node reports itself anew. */
async function ensureAll(agents: readonly NodeAgent[], signal?: AbortSignal): Promise<boolean> {
  let started = false;
  for (const agent of agents) started = await agent.ensure(signal);
  return started;
}

/** That one of the programs has ended by itself. */
async function anyFailure(host: NodeHost, agents: readonly NodeAgent[]): Promise<string | undefined> {
  const failures = await Promise.all(agents.map(({ daemon }) => host.failure(daemon)));
  return failures.find((failure) => failure !== undefined);
}

export interface EnsureOptions {
  /** Whether to wait until the node is Ready, which it cannot be while its site is cut off. Default true. */
  readonly wait?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes a node run, or run again, and waits until it is Ready. Its network is there by now. Idempotent. */
export async function ensureNode(
  context: BedContext,
  tools: NodeTools,
  { node, wait = true, signal }: EnsureOptions & { readonly node: NodeDescription },
): Promise<void> {
  const host = createHost(context, tools, node);
  const startedMs = context.clock.now();
  const booted = await host.start(signal);
  const registry = { host: bedRegistryHost(tools.bed), ca: tools.pki.ca.keyPair.certificate };
  await trustRegistry(host, registry, signal);
  const { first, beside } = createAgents(context, tools, host, node);
  if (first.length === 0) return;
  const started = (await ensureAll(first, signal)) || booted;
  const watched = { failure: () => anyFailure(host, first), signal };
  await watchOver(watched, context.clock, async (alive) => {
    await connectPods(context, tools, host, alive);
    await ensureAll(beside, alive);
    const sinceMs = started ? startedMs : 0;
    if (wait) await waitUntilReady(context, tools, { name: node.name, sinceMs }, alive);
  });
}
