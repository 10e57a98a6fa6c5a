import { join } from 'node:path';
import { Bed } from '@selvedge/bed';
import { createMetricsRegistry, createServiceGroup, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import {
  createEventRecorder,
  createKubeMetrics,
  createObjectCaches,
  mergePatch,
  resources,
} from '@selvedge/kube';
import {
  createUnitController,
  createUnitMetrics,
  edgeNodeResource,
  edgeUnitResource,
  unitIndexers,
} from '@selvedge/unit-controller';
import { afterAll, beforeAll } from 'vitest';
import { type Site, useSite } from './site.ts';

const deletionPolicy = 'release';
const crds = join(import.meta.dirname, '../../../deploy/crds');

/** Three nodes of one LAN, each with kube-proxy and CoreDNS at its hub. They are of two units: what left one would be answered. */
export interface ScopeSite {
  readonly site: Site;
  /** The site's name. */
  readonly name: string;
  /** A stock node converted to the hub, and a lite node: the nodes of the unit `own`. */
  readonly converted: string;
  readonly lite: string;
  /** A lite node, the one of the unit `other`. */
  readonly far: string;
  /** The names of the units. */
  readonly own: string;
  readonly other: string;
  /** Says which nodes a unit has, in its spec. */
  setMembers(unit: string, nodes: readonly string[]): Promise<void>;
}

/** The program that keeps units, in this process and as cloud-manager has it. */
async function startUnitController({ client, signal }: Site): Promise<AsyncDisposable> {
  const registry = createMetricsRegistry();
  const kubeMetrics = createKubeMetrics(registry);
  const log = silentLogger;
  const shared = { client, clock: systemClock, random: seededRandom(1), log, kubeMetrics };
  const caches = createObjectCaches({ name: 'unit caches' }, shared);
  const units = caches.follow({ resource: edgeUnitResource });
  const nodes = caches.follow({ resource: resources.nodes });
  const edgeNodes = caches.follow({ resource: edgeNodeResource }, { indexers: unitIndexers });
  const events = createEventRecorder(
    { component: 'cloud-manager', host: 'e2e' },
    { ...shared, metrics: kubeMetrics },
  );
  const metrics = createUnitMetrics(registry, () => Array.from(units.values()));
  const controller = createUnitController({}, { ...shared, units, nodes, edgeNodes, events, metrics });
  const group = createServiceGroup(
    { name: 'units', services: [events, caches.service, controller] },
    { log },
  );
  await group.start(signal);
  return { [Symbol.asyncDispose]: () => group.stop() };
}

/** Registers the hooks that make and remove it. Call it once, outside of tests. */
export function useScopeSite(name: string): ScopeSite {
  const site = useSite();
  const [converted, lite, far] = [`${name}-conv`, `${name}-lite`, `${name}-far`];
  const [own, other] = [`${name}-own`, `${name}-other`];
  let controller: AsyncDisposable | undefined;
  const kubectl = (...args: readonly string[]): Promise<unknown> => site.bed.kubectl(args);

  beforeAll(async () => {
    const beside = { site: name, kubeProxy: true, dns: true } as const;
    const nodes = [
      { ...beside, name: converted, agent: 'converted' },
      { ...beside, name: lite, agent: 'lite' },
      { ...beside, name: far, agent: 'lite' },
    ] as const;
    const made = Bed.up({ name: site.bed.name, sites: [{ name }], nodes });
    await kubectl('apply', '--server-side', '--kustomize', crds);
    await kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
    await made;
    controller = await startUnitController(site);
    const { client, signal } = site;
    const units = [
      { metadata: { name: own }, spec: { members: { names: [converted, lite] }, deletionPolicy } },
      { metadata: { name: other }, spec: { members: { names: [far] }, deletionPolicy } },
    ] as const;
    for (const unit of units) await client.create(edgeUnitResource, unit, { signal });
    await kubectl(
      'wait',
      '--for=condition=Settled',
      '--timeout=60s',
      ...[own, other].map((unit) => `edgeunit/${unit}`),
    );
  });
  afterAll(async () => {
    await site.bed.heal(name);
    await kubectl('delete', 'edgeunits', own, other, '--ignore-not-found', '--timeout=30s');
    await controller?.[Symbol.asyncDispose]();
    for (const node of [converted, lite, far]) await site.bed.removeNode(node);
    await site.bed.removeSite(name);
    await kubectl('delete', '--kustomize', crds, '--timeout=60s');
  });
  return {
    site,
    name,
    converted,
    lite,
    far,
    own,
    other,
    async setMembers(unit, names) {
      const patch = mergePatch({ spec: { members: { names } } });
      await site.client.patch(edgeUnitResource, { name: unit }, { patch, signal: site.signal });
    },
  };
}
