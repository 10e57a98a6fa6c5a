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
  /** Names of the Nodes that say they have this InternalIP. */
  nodesByAddress(address: string): readonly string[];
  /** Names of the nodes of pods with this address and a network of their own, each once. */
  nodesByPodAddress(address: string): readonly string[];
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

/** To the one that holds it; where several do and an edge node is among them, nobody can tell which is meant. */
function toHolder(holders: readonly string[], target: Target, view: ClusterView): Route {
  const [holder] = holders;
  if (holder === undefined || !holders.some((node) => view.isEdge(node))) return { kind: 'direct', target };
  if (holders.length === 1) return toNode(holder, target, view);
  return refused(`${target.host} is held by the nodes ${list(holders)}`);
}

/**
 * The nodes that a name may mean. Its own name is a Node's for good; another Hostname is what a node says of itself, so it
 * counts only for its kubelet, which proves by TLS who it is.
 */
export function nodesOfName(name: string, port: number | undefined, view: ClusterView): readonly NamedNode[] {
  const exact = view.node(name);
  if (exact !== undefined) return [exact];
  return view.nodesByHostname(name).filter(({ kubeletPort }) => port === undefined || kubeletPort === port);
}

function byName(target: Target, view: ClusterView): Destination {
  const nodes = nodesOfName(target.host, target.port, view).map(({ node }) => node);
  return { rule: nodes.length === 0 ? 'other' : 'node', route: toHolder(nodes, target, view) };
}

/** Those for which it holds, or all if it holds for none. */
function preferring<T>(all: readonly T[], holds: (one: T) => boolean): readonly T[] {
  const some = all.filter(holds);
  return some.length > 0 ? some : all;
}

/** As kube-proxy chooses, but for those that cannot be reached just now: ready ones, else those that still serve. */
function choose(
  endpoints: readonly ServiceEndpoint[],
  { view, random }: ResolveDeps,
): ServiceEndpoint | undefined {
  const usable = preferring(
    endpoints.filter(({ isServing }) => isServing),
    ({ isReady }) => isReady,
  );
  const reachable = preferring(
    usable,
    ({ node }) => node === undefined || !view.isEdge(node) || view.isConnected(node),
  );
  return reachable[Math.floor(random() * reachable.length)];
}

function toService(service: ServiceView, { port }: Target, deps: ResolveDeps): Route {
  const endpoints = service.endpoints(port);
  if (endpoints === undefined) return refused(`Service ${service.name} has no TCP port ${port}`);
  const endpoint = choose(endpoints, deps);
  if (endpoint === undefined) return refused(`Service ${service.name} has no ready endpoint on port ${port}`);
  const { target, node } = endpoint;
  if (node !== undefined) return toNode(node, target, deps.view);
  return toHolder(deps.view.nodesByPodAddress(target.host), target, deps.view);
}

export interface ResolveDeps {
  readonly view: ClusterView;
  readonly random: Random;
}

/**
 * Where a connection goes that the API server asks for: to a node by its name, to a ready endpoint of the Service that has
 * the address, to the node of the pod that has it, to the edge node that has it; anything else is dialled directly. What
 * the cloud writes goes before what nodes say of themselves. Pure.
 */
export function resolve(asked: Target, deps: ResolveDeps): Destination {
  const { view } = deps;
  const target = { host: plainHost(asked.host), port: asked.port };
  if (isIP(target.host) === 0) return byName(target, view);
  const service = view.service(target.host);
  if (service !== undefined) return { rule: 'service', route: toService(service, target, deps) };
  const ofPod = view.nodesByPodAddress(target.host);
  if (ofPod.length > 0) return { rule: 'pod', route: toHolder(ofPod, target, view) };
  const nodes = view.nodesByAddress(target.host);
  return { rule: nodes.length === 0 ? 'other' : 'address', route: toHolder(nodes, target, view) };
}
