import { isIP } from 'node:net';
import type { Random } from '@selvedge/kit';
import { plainHost } from '@selvedge/kit/net';
import type { Target } from '@selvedge/tunnel';

/** What was known about a destination, for which it goes where it goes. */
export type Rule = 'node' | 'service' | 'pod' | 'address' | 'other';

/** How a destination is reached. `edge`: through the tunnel of that node. */
export type Route =
  | { readonly kind: 'edge'; readonly node: string; readonly target: Target }
  | { readonly kind: 'direct'; readonly target: Target }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Destination {
  readonly rule: Rule;
  readonly route: Route;
}

/** A Node as others name it. */
export interface NamedNode {
  readonly node: string;
  readonly kubeletPort: number;
  /** The first InternalIP that it says. */
  readonly address?: string | undefined;
}

/** A Node with a pod that says it has an address. */
export interface PodHolder {
  readonly node: string;
  /** Whether the address is in the Node's `spec.podCIDRs`, which only the cloud writes; undefined: it has none. */
  readonly isOfNode: boolean | undefined;
}

/** One endpoint of a Service's port. */
export interface ServiceEndpoint {
  readonly target: Target;
  /** As the EndpointSlice says, which only the cloud writes. */
  readonly node: string | undefined;
  readonly isReady: boolean;
  /** Also while it terminates. */
  readonly isServing: boolean;
}

export interface ServiceView {
  /** `namespace/name`. */
  readonly name: string;
  /** Of a TCP port; undefined: the Service has no such port. */
  endpoints(port: number): readonly ServiceEndpoint[] | undefined;
}

/** What is known of the cluster now. Hosts as `plainHost` writes them. */
export interface ClusterView {
  /** Whether it is reached through a tunnel: it has an EdgeNode or a session. */
  isEdge(node: string): boolean;
  /** Whether some server has a tunnel to it now. */
  isConnected(node: string): boolean;
  /** The Node of exactly that name. */
  node(name: string): NamedNode | undefined;
  /** Nodes that say they have this Hostname. */
  nodesByHostname(hostname: string): readonly NamedNode[];
  /** Nodes that say they have this InternalIP. */
  nodesByAddress(address: string): readonly NamedNode[];
  /** Nodes of pods that say they have this address and a network of their own, each once. */
  nodesByPodAddress(address: string): readonly PodHolder[];
  /** By any of its ClusterIPs. */
  service(clusterIp: string): ServiceView | undefined;
}

/** Names in a reason. */
const maxNames = 5;

function list(nodes: readonly string[]): string {
  const more = nodes.length - maxNames;
  return nodes.toSorted().slice(0, maxNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const refused = (reason: string): Route => ({ kind: 'refused', reason });

const toNode = (node: string, target: Target, view: ClusterView): Route =>
  view.isEdge(node) ? { kind: 'edge', node, target } : { kind: 'direct', target };

/** To the one that holds it; of several at the edge nobody can tell which is meant, and one elsewhere is dialled. */
function toHolder(holders: readonly { readonly node: string }[], target: Target, view: ClusterView): Route {
  const [holder, ...others] = holders;
  if (holder === undefined || holders.some(({ node }) => !view.isEdge(node)))
    return { kind: 'direct', target };
  if (others.length === 0) return { kind: 'edge', node: holder.node, target };
  return refused(`${target.host} is held by the nodes ${list(holders.map(({ node }) => node))}`);
}

/**
 * The nodes that a name may mean. Its own name is a Node's for good; another Hostname is what a node says of itself. At the
 * edge that counts only where no other node says so, and for the kubelet, which proves by TLS who it is.
 */
export function nodesOfName(name: string, port: number | undefined, view: ClusterView): readonly NamedNode[] {
  const exact = view.node(name);
  if (exact !== undefined) return [exact];
  const all = view.nodesByHostname(name);
  const elsewhere = all.filter(({ node }) => !view.isEdge(node));
  if (elsewhere.length > 0) return elsewhere;
  return all.filter(({ kubeletPort }) => port === undefined || kubeletPort === port);
}

/**
 * Names of nodes need be in no DNS: one that is not at the edge is dialled by the address that it says, as the API server would
 * by itself. On its own machine its name may be an address of the loopback interface.
 */
function byName(target: Target, view: ClusterView): Destination {
  const nodes = nodesOfName(target.host, target.port, view);
  if (nodes.length === 0) return { rule: 'other', route: { kind: 'direct', target } };
  const route = toHolder(nodes, target, view);
  const [{ address } = {}, ...others] = nodes;
  const isKnown = route.kind === 'direct' && others.length === 0 && address !== undefined;
  return { rule: 'node', route: isKnown ? { kind: 'direct', target: { ...target, host: address } } : route };
}

/** Those for which it holds, or all if it holds for none. */
function preferring<T>(all: readonly T[], holds: (one: T) => boolean): readonly T[] {
  const some = all.filter(holds);
  return some.length > 0 ? some : all;
}

/** As kube-proxy chooses, but for those that cannot be reached just now: ready ones, else those that still serve. */
function choose(
  endpoints: readonly ServiceEndpoint[],
  { view, random, silent }: ResolveDeps,
): ServiceEndpoint | undefined {
  const usable = preferring(
    endpoints.filter(
      ({ isServing, node }) => isServing && (node === undefined || silent?.has(node) !== true),
    ),
    ({ isReady }) => isReady,
  );
  const reachable = preferring(
    usable,
    ({ node }) => node === undefined || !view.isEdge(node) || view.isConnected(node),
  );
  return reachable[Math.floor(random() * reachable.length)];
}

/**
 * A pod in its node's range goes first: that is the cloud's word. Then what is not at the edge, before whatever a node at the
 * edge says of itself.
 */
function byAddress(target: Target, view: ClusterView): Destination {
  const nodes = view.nodesByAddress(target.host);
  const claims = view.nodesByPodAddress(target.host);
  const assigned = claims.filter(({ isOfNode }) => isOfNode === true);
  if (assigned.length > 0) return { rule: 'pod', route: toHolder(assigned, target, view) };
  const isElsewhere = ({ node }: { readonly node: string }): boolean => !view.isEdge(node);
  if (claims.some(isElsewhere)) return { rule: 'pod', route: { kind: 'direct', target } };
  if (nodes.some(isElsewhere)) return { rule: 'address', route: { kind: 'direct', target } };
  const pods = claims.filter(({ isOfNode }) => isOfNode === undefined);
  if (pods.length > 0) return { rule: 'pod', route: toHolder(pods, target, view) };
  const kubelets = nodes.filter(({ kubeletPort }) => kubeletPort === target.port);
  return { rule: kubelets.length === 0 ? 'other' : 'address', route: toHolder(kubelets, target, view) };
}

function toService(service: ServiceView, { port }: Target, deps: ResolveDeps): Route {
  const endpoints = service.endpoints(port);
  if (endpoints === undefined) return refused(`Service ${service.name} has no TCP port ${port}`);
  const endpoint = choose(endpoints, deps);
  if (endpoint === undefined) return refused(`Service ${service.name} has no ready endpoint on port ${port}`);
  const { target, node } = endpoint;
  if (node !== undefined) return toNode(node, target, deps.view);
  const found = byAddress(target, deps.view);
  return found.rule === 'pod' ? found.route : { kind: 'direct', target };
}

export interface ResolveDeps {
  readonly view: ClusterView;
  readonly random: Random;
  /** Nodes that were asked just now and have not answered: no endpoint on them is chosen. */
  readonly silent?: ReadonlySet<string>;
}

/**
 * Where a connection goes that the API server asks for: to a node by its name, to a ready endpoint of the Service that has
 * the address, to the node of the pod that has it, to the kubelet of the edge node that has it; anything else is dialled
 * directly. What the cloud writes, and what is not at the edge, goes before what nodes at the edge say of themselves. Pure.
 */
export function resolve(asked: Target, deps: ResolveDeps): Destination {
  const { view } = deps;
  const target = { host: plainHost(asked.host), port: asked.port };
  if (isIP(target.host) === 0) return byName(target, view);
  const service = view.service(target.host);
  if (service !== undefined) return { rule: 'service', route: toService(service, target, deps) };
  return byAddress(target, view);
}
