import type { CommandResult } from '@selvedge/hack/setup';
import { managerUrl } from './control-plane/cloud-manager.ts';
import { type BedContext, type BedDeps, createContext, processBedDeps } from './context.ts';
import { type CloudProgram, serverUrl } from './control-plane/control-plane.ts';
import { type BootstrapToken, createBootstrapToken } from './control-plane/token.ts';
import {
  type BedDescription,
  type ControlPlaneDescription,
  type NodeOptions,
  type SiteOptions,
  type StockAgent,
  defaultControlPlane,
  defaultSite,
} from './description.ts';
import { withNode, withSite } from './description-edit.ts';
import type { Kubectl } from './kubectl.ts';
import type { CutKind, Shape } from './network/faults.ts';
import {
  type ContainerFilter,
  type ContainerSummary,
  killContainer,
  listContainers,
  listSandboxes,
} from './node/inspect.ts';
import {
  type StartOptions,
  execAt,
  startAgent,
  startRuntime,
  stopAgent,
  stopRuntime,
} from './node/manage.ts';
import type { EnsureOptions } from './node/node.ts';
import { type BedStatus, bedStatus } from './status.ts';
import {
  addNode,
  addSite,
  cut,
  existing,
  heal,
  powerCut,
  powerOn,
  reboot,
  removeNode,
  removeSite,
  setAgent,
  shape,
  startCloud,
  stopCloud,
} from './operations.ts';
import { reconcileBed } from './reconcile.ts';
import { type BedRegistry, openBedRegistry } from './registry/index.ts';
import { tearDown } from './teardown.ts';

export interface BedOptions {
  /** Default `bed`. */
  readonly name?: string;
  /** Default: one, `site-1`. Those that the bed has already are left as they are. */
  readonly sites?: readonly SiteOptions[];
  /** Default: none. Those that the bed has already are left as they are. */
  readonly nodes?: readonly NodeOptions[];
  /** Default: Kubernetes 1.36.3, or what the bed has already. */
  readonly controlPlane?: Partial<ControlPlaneDescription>;
  readonly signal?: AbortSignal;
}

/** A Kubernetes control plane in a cloud of its own, and sites behind NAT with nodes. It outlives this process. */
export interface Bed extends AsyncDisposable {
  readonly name: string;
  /** A kubeconfig of a cluster administrator, for programs on this machine. */
  readonly kubeconfig: string;
  /** `https://10.60.0.1:6443`. */
  readonly server: string;
  /** `https://10.60.0.1:10290`: cloud-manager's health port, in a bed with a tunnel. */
  readonly manager: string;
  /** Where the daemons' logs are. */
  readonly logs: string;
  describe(): Promise<BedDescription>;
  status(): Promise<BedStatus>;
  /** kubectl as an administrator; resolves with its output, rejects with what it said. */
  readonly kubectl: Kubectl;
  /** A token with which nodes may join; valid for a day unless told otherwise. */
  createBootstrapToken(options?: { readonly lifetimeMs?: number }): Promise<BootstrapToken>;
  /** A registry with TLS and passwords in the cloud, started by the first call. Nodes pull from it over the WAN. */
  registry(signal?: AbortSignal): Promise<BedRegistry>;
  addSite(options: SiteOptions, signal?: AbortSignal): Promise<void>;
  removeSite(name: string, signal?: AbortSignal): Promise<void>;
  /** Resolves once the node is Ready. */
  addNode(options: NodeOptions, signal?: AbortSignal): Promise<void>;
  /** Turns a stock node into a converted one, or back, while its containers go on; resolves once it is Ready. */
  setAgent(node: string, agent: StockAgent, signal?: AbortSignal): Promise<void>;
  /** Deletes the Node object too. */
  removeNode(name: string, signal?: AbortSignal): Promise<void>;
  /** Cuts a site's WAN, at once also for what is connected. */
  cut(site: string, kind: CutKind): Promise<void>;
  /** Makes a site's WAN slow and lossy in this way, and no longer in another. */
  shape(site: string, shape: Shape): Promise<void>;
  /** Ends all faults of a site's WAN. */
  heal(site: string): Promise<void>;
  /** Ends the agent politely, then as `powerCut`; resolves once the node is Ready again. */
  reboot(node: string, signal?: AbortSignal): Promise<void>;
  /** As if the plug were pulled: nothing in memory survives. It stays off until `powerOn`. */
  powerCut(node: string, signal?: AbortSignal): Promise<void>;
  /** Resolves once the node is Ready again or, with `wait: false`, once its programs run: cut off, it is not Ready. */
  powerOn(node: string, options?: EnsureOptions): Promise<void>;
  /** Runs a program to its end on a node, or in the network of a site's router or of `cloud`; rejects if it fails. */
  exec(place: string, argv: readonly [string, ...string[]]): Promise<CommandResult>;
  /**
   * Ends the kubelet or edge-lite, by default with SIGTERM, or another program of the node: `edge-lite`, the hub of a
   * converted node, `kube-proxy`, `coredns`. Resolves once it is gone. Its containers go on.
   */
  stopAgent(node: string, signal?: NodeJS.Signals, program?: string): Promise<void>;
  /** Starts what was stopped again; resolves once the node is Ready or, with `wait: false`, at once. */
  startAgent(node: string, options?: StartOptions): Promise<void>;
  /** Ends a program of the cloud, by default with SIGTERM. Resolves once it is gone. */
  stopCloud(program: CloudProgram, signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again; does not wait until it serves. */
  startCloud(program: CloudProgram): Promise<void>;
  /** Ends the container runtime; its containers go on. */
  stopRuntime(node: string): Promise<void>;
  /** Starts it again; resolves once it answers. */
  startRuntime(node: string): Promise<void>;
  /** The containers that the node's runtime knows, dead ones too, the newest first. */
  containers(node: string, filter?: ContainerFilter): Promise<readonly ContainerSummary[]>;
  /** Ends the one running container that fits with SIGKILL, as if its program had crashed. */
  killContainer(node: string, filter: ContainerFilter): Promise<void>;
  /** The uids of the pods that have a sandbox on the node, dead or alive. */
  sandboxes(node: string): Promise<readonly string[]>;
  /** Removes all of it. */
  down(): Promise<void>;
}

/** What is to be: what the bed has already, and what the options add to it. */
async function desired(context: BedContext, options: BedOptions): Promise<BedDescription> {
  const before = await context.store.read(context.name);
  const empty: BedDescription = {
    schema: 1,
    name: context.name,
    index: await context.store.claimIndex(context.name),
    controlPlane: defaultControlPlane,
    sites: [],
    nodes: [],
  };
  let bed = before ?? empty;
  bed = { ...bed, controlPlane: { ...bed.controlPlane, ...options.controlPlane } };
  for (const site of options.sites ?? (before === undefined ? [defaultSite] : [])) {
    if (!bed.sites.some(({ name }) => name === site.name)) bed = withSite(bed, site);
  }
  for (const node of options.nodes ?? []) {
    if (!bed.nodes.some(({ name }) => name === node.name)) bed = withNode(bed, node);
  }
  return { ...bed, nodes: bed.nodes.map((node) => ({ ...node, powered: true })) };
}

type NodeVerbs = Pick<
  Bed,
  | 'exec'
  | 'stopAgent'
  | 'startAgent'
  | 'stopRuntime'
  | 'startRuntime'
  | 'containers'
  | 'killContainer'
  | 'sandboxes'
>;

/** What is done to, or asked from, a node that runs. */
function nodeVerbs(context: BedContext): NodeVerbs {
  return {
    exec: (place, argv) => execAt(context, place, argv),
    stopAgent: (node, signal = 'SIGTERM', program) => stopAgent(context, node, { signal, program }),
    startAgent: (node, options) => startAgent(context, node, options),
    stopRuntime: (node) => stopRuntime(context, node),
    startRuntime: (node) => startRuntime(context, node),
    containers: (node, filter) => listContainers(context, node, filter),
    killContainer: (node, filter) => killContainer(context, node, filter),
    sandboxes: (node) => listSandboxes(context, node),
  };
}

function bedOf(context: BedContext, index: number): Bed {
  const { name, folders, clock, store, kubectl } = context;
  const down = async (): Promise<void> => {
    await using lock = await store.lock(name);
    await tearDown(context);
  };
  return {
    name,
    kubeconfig: folders.kubeconfig,
    server: serverUrl({ index }),
    manager: managerUrl({ index }),
    logs: folders.logs,
    kubectl,
    describe: () => existing(context),
    status: () => bedStatus(context),
    createBootstrapToken: (options) => createBootstrapToken(kubectl, { clock, ...options }),
    registry: (signal) => openBedRegistry(context, { index }, signal),
    addSite: (options, signal) => addSite(context, options, signal),
    removeSite: (site, signal) => removeSite(context, site, signal),
    addNode: (options, signal) => addNode(context, options, signal),
    setAgent: (node, agent, signal) => setAgent(context, node, { agent, signal }),
    removeNode: (node, signal) => removeNode(context, node, signal),
    cut: (site, kind) => cut(context, site, kind),
    shape: (site, wanted) => shape(context, site, wanted),
    heal: (site) => heal(context, site),
    reboot: (node, signal) => reboot(context, node, signal),
    powerCut: (node, signal) => powerCut(context, node, signal),
    powerOn: (node, options) => powerOn(context, node, options),
    stopCloud: (program, signal = 'SIGTERM') => stopCloud(context, program, signal),
    startCloud: (program) => startCloud(context, program),
    ...nodeVerbs(context),
    down,
    [Symbol.asyncDispose]: down,
  };
}

export const defaultBedName = 'bed';

/** Beds by name. */
export const Bed = {
  /**
   * Makes the bed, or what it lacks of the description, and repairs what is broken of it. Resolves once the API server
   * serves and the nodes are Ready. A killed or failed `up` is repaired by the next one, or removed by `down`.
   */
  async up(options: BedOptions = {}, deps: BedDeps = processBedDeps()): Promise<Bed> {
    const context = createContext(options.name ?? defaultBedName, deps);
    await using lock = await context.store.lock(context.name, options.signal);
    const bed = await desired(context, options);
    await context.store.write(bed);
    await reconcileBed(context, bed, options.signal);
    return bedOf(context, bed.index);
  },

  /** A bed that exists, or `NotFound`. */
  async open(name: string = defaultBedName, deps: BedDeps = processBedDeps()): Promise<Bed> {
    const context = createContext(name, deps);
    return bedOf(context, (await existing(context)).index);
  },

  /** Removes a bed, also one that a killed run left without a description. Nothing of it stays. */
  async down(name: string = defaultBedName, deps: BedDeps = processBedDeps()): Promise<void> {
    await bedOf(createContext(name, deps), 0).down();
  },

  /** The names of this machine's beds. */
  list: async (deps: BedDeps = processBedDeps()): Promise<readonly string[]> =>
    createContext(defaultBedName, deps).store.names(),
};
