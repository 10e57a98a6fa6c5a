import { type EdgeNode, type EdgeUnit, type EdgeUnitSpec, edgeNodes, edgeUnits } from '@selvedge/api';
import { Bed, type ControlPlaneDescription, type NodeOptions, nameBed } from '@selvedge/bed';
import { type KubeClient, type KubeObject, defineResource } from '@selvedge/kube';
import { afterAll, beforeAll } from 'vitest';
import { type Site, useSite } from './site.ts';
import { connectAs, cutLink, healLink, metricsOf } from './unit-tools.ts';

export type EdgeNodeObject = KubeObject & EdgeNode;
export const edgeNodeResource = defineResource<EdgeNodeObject>(edgeNodes);
type EdgeUnitObject = KubeObject & EdgeUnit;
export const edgeUnitResource = defineResource<EdgeUnitObject>(edgeUnits);

/** How long a control plane waits, in seconds. */
export interface StockLimits {
  /** Without a word of a node until it is given up: `--node-monitor-grace-period`. */
  readonly graceSeconds: number;
  /** Until pods of such a node are evicted, unless they say themselves: `tolerationSeconds`. */
  readonly tolerationSeconds: number;
  /** cloud-manager's `autonomy.gracePeriodSeconds`. */
  readonly assumedGraceSeconds: number;
  /** cloud-manager's `leaderElection.leaseDurationSeconds`. */
  readonly leaderLeaseSeconds: number;
  /** The duration of a node's Lease. */
  readonly leaseSeconds: number;
}

/** As Kubernetes and cloud-manager are without flags and config. */
export const usualLimits: StockLimits = {
  graceSeconds: 50,
  tolerationSeconds: 300,
  assumedGraceSeconds: 40,
  leaderLeaseSeconds: 15,
  leaseSeconds: 40,
};

/**
 * For tests: nobody waits for long. Between what cloud-manager takes for the grace and what it is there is time for a
 * restart of cloud-manager on a machine that has other work to do.
 */
export const shortLimits: StockLimits = {
  graceSeconds: 30,
  tolerationSeconds: 4,
  assumedGraceSeconds: 10,
  leaderLeaseSeconds: 5,
  leaseSeconds: 8,
};

/** A site of its own behind NAT, with nodes that belong together. */
export interface UnitOptions {
  /** Of the site and of the EdgeUnit. */
  readonly name: string;
  readonly nodes: readonly Omit<NodeOptions, 'site'>[];
  readonly spec?: Omit<EdgeUnitSpec, 'members'>;
}

interface UnitBedOptions {
  /** Begins the bed's name. */
  readonly prefix: string;
  readonly units: readonly UnitOptions[];
  readonly limits: StockLimits;
}

/** What the control plane of a bed is started with, for these limits. */
function controlPlaneOf(limits: StockLimits): Partial<ControlPlaneDescription> {
  const { graceSeconds, tolerationSeconds, assumedGraceSeconds, leaderLeaseSeconds } = limits;
  const seconds = ['not-ready', 'unreachable'].map(
    (taint) => `--default-${taint}-toleration-seconds=${tolerationSeconds}`,
  );
  // Of a few nodes one is most of a zone, and the next one would wait ten seconds for its turn.
  const monitor = { 'grace-period': `${graceSeconds}s`, period: '1s' };
  const flags = Object.entries(monitor).map(([name, value]) => `--node-monitor-${name}=${value}`);
  return {
    tunnel: true,
    apiServerFlags: seconds,
    controllerManagerFlags: [...flags, '--node-eviction-rate=10'],
    managerConfig: {
      autonomy: {
        gracePeriodSeconds: assumedGraceSeconds,
        witnessSeconds: Math.max(5, Math.floor(assumedGraceSeconds * 0.75)),
        failover: { perMinute: 60, burst: 10 },
      },
      leaderElection: {
        leaseDurationSeconds: leaderLeaseSeconds,
        renewDeadlineSeconds: Math.floor((leaderLeaseSeconds * 2) / 3),
        retrySeconds: 1,
      },
    },
  };
}

/** For whatever these limits make happen on a machine that has other work to do. */
const patienceMs = ({ graceSeconds, tolerationSeconds }: StockLimits): number =>
  60_000 + 5_000 * (graceSeconds + tolerationSeconds);

/** A bed of units, each with a site of its own, and cloud-manager with the rights of its manifests. */
export interface UnitBed {
  readonly site: Site;
  readonly limits: StockLimits;
  edgeNode(node: string): Promise<EdgeNodeObject>;
  /** Cuts the link of one node: to the cloud, not to its neighbours. */
  cutLink(node: string): Promise<void>;
  healLink(node: string): Promise<void>;
  /** What cloud-manager counts. */
  metrics(): Promise<string>;
  /** As the node itself, with its own certificate. */
  clientOf(node: string): Promise<KubeClient>;
  /** Resolves with the node as soon as it is in this state, for this reason. */
  untilState(node: string, state: string, reason?: string): Promise<EdgeNodeObject>;
}

/** Resolves once the units have their members, all of them connected. */
async function gather(here: UnitBed, units: readonly UnitOptions[]): Promise<void> {
  const { client, signal } = here.site;
  for (const { name, nodes, spec } of units) {
    const members = { names: nodes.map((node) => node.name) };
    await client.create(edgeUnitResource, { metadata: { name }, spec: { ...spec, members } }, { signal });
  }
  for (const { name, nodes } of units) {
    await here.site.until({ what: `unit ${name} is complete` }, async () => {
      const { status } = await client.get(edgeUnitResource, { name }, { signal });
      const settled = status?.conditions?.find(({ type }) => type === 'Settled')?.status;
      return settled === 'True' && status?.counts?.connected === nodes.length;
    });
  }
}

/** Registers the hooks that make and remove a bed of the test file's own. Call it once, outside of tests. */
export function useUnitBed({ prefix, units, limits }: UnitBedOptions): UnitBed {
  let bedName: string | undefined;
  afterAll(async () => {
    if (bedName !== undefined) await Bed.down(bedName);
  });
  const site = useSite(async () => {
    bedName = await nameBed(prefix);
    const { leaseSeconds } = limits;
    const nodes = units.flatMap(({ name, nodes: own }) =>
      own.map((node) => ({ ...node, site: name, leaseSeconds })),
    );
    const sites = units.map(({ name }) => ({ name }));
    return Bed.up({ name: bedName, controlPlane: controlPlaneOf(limits), sites, nodes });
  });
  const edgeNode = (name: string): Promise<EdgeNodeObject> =>
    site.client.get(edgeNodeResource, { name }, { signal: site.signal });
  const here: UnitBed = {
    site,
    limits,
    edgeNode,
    cutLink: (node) => cutLink(site.bed, node),
    healLink: (node) => healLink(site.bed, node),
    metrics: () => metricsOf(site.bed),
    clientOf: (node) => connectAs(site.bed, node),
    untilState: (node, state, reason) =>
      site.until({ what: `${node} is ${state}`, timeoutMs: patienceMs(limits) }, async () => {
        const seen = await edgeNode(node);
        const { state: is, reason: why } = seen.status ?? {};
        if (is === state && (reason ?? why) === why) return seen;
        throw new Error(`it is ${is} (${why})`);
      }),
  };
  beforeAll(() => gather(here, units));
  return here;
}
