import { join } from 'node:path';
import { autonomyAnnotations } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import type { Pod, PodSpec, PodTemplateSpec } from '@selvedge/kube/types';
import { isReady, running } from './pods.ts';
import type { Site } from './site.ts';

interface NodeTerm {
  readonly matchExpressions: { key: string; operator: string; values: string[] }[];
}

const among = (...nodes: readonly string[]): NodeTerm => ({
  matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [...nodes] }],
});

/** Where the scheduler puts a pod if it may. */
const preferring = (node: string): NonNullable<PodSpec['affinity']>['nodeAffinity'] => ({
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: among(node) }],
});

function template(labels: Readonly<Record<string, string>>, spec: Partial<PodSpec> = {}): PodTemplateSpec {
  const containers = spec.containers ?? [running()];
  return { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, ...spec, containers } };
}

/** The label of all that serves for a unit, whatever node it is on; the Service of the unit has its name. */
const unitLabel = 'e2e/unit';

/** The name of the Deployment that is at home on a node. */
export const webOf = (node: string): string => `web-${node}`;
/** The DaemonSet that nothing drives away. */
export const staysName = 'stays';

/** One pod, at home on a node but not bound to it, behind the Service of its unit. */
export async function deployWeb(site: Site, node: string, unit: string): Promise<void> {
  const app = { app: webOf(node) };
  const labels = { ...app, [unitLabel]: unit };
  await site.create(resources.deployments, {
    metadata: { name: webOf(node) },
    spec: {
      replicas: 1,
      selector: { matchLabels: app },
      template: template(labels, { affinity: { nodeAffinity: preferring(node) } }),
    },
  });
}

export async function createService(site: Site, unit: string): Promise<void> {
  const ports = [{ port: 80, targetPort: 8080 }];
  const spec = { selector: { [unitLabel]: unit }, ports };
  await site.create(resources.services, { metadata: { name: unit }, spec });
}

/** A pod on each node that tolerates every taint. */
export async function deployStays(site: Site): Promise<void> {
  const labels = { app: staysName };
  const tolerations = [{ operator: 'Exists' }];
  await site.create(resources.daemonSets, {
    metadata: { name: staysName },
    spec: { selector: { matchLabels: labels }, template: template(labels, { tolerations }) },
  });
}

export const databaseName = 'db';

/**
 * A StatefulSet of one pod, at home on the first of these nodes, which agrees to be replaced when that is dead, on another
 * of them. It notes its pods down on a volume of its own, a folder of the machine that all nodes share. Resolves with the file.
 */
export async function deployDatabase(site: Site, nodes: readonly [string, ...string[]]): Promise<string> {
  const folder = join(site.bed.logs, '..', `volume-${site.namespace}`);
  const labels = { app: databaseName };
  const claim = { name: `data-${databaseName}-0`, namespace: site.namespace };
  const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  await site.client.create(
    resources.persistentVolumes,
    {
      metadata: { name: site.namespace },
      spec: {
        ...common,
        capacity: { storage: '1Mi' },
        claimRef: claim,
        hostPath: { path: folder, type: 'DirectoryOrCreate' },
      },
    },
    { signal: site.signal },
  );
  const script = 'hostname >> /data/pods; echo "$NODE" >> /data/pods';
  const container = running(script, {
    env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  });
  const annotations = { [autonomyAnnotations.failover]: 'true' };
  const required = {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [among(...nodes)] },
  };
  const affinity = { nodeAffinity: { ...preferring(nodes[0]), ...required } };
  await site.create(resources.statefulSets, {
    metadata: { name: databaseName, annotations },
    spec: {
      serviceName: databaseName,
      selector: { matchLabels: labels },
      template: template(labels, { affinity, containers: [container] }),
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { ...common, resources: { requests: { storage: '1Mi' } } } },
      ],
    },
  });
  return join(folder, 'pods');
}

/** The pods of an app. */
export async function podsOf(site: Site, app: string): Promise<readonly Pod[]> {
  const { namespace, signal } = site;
  return (await site.client.listAll(resources.pods, { namespace, labelSelector: `app=${app}`, signal }))
    .items;
}

/** The pod of an app on a node. */
export async function podOn(site: Site, app: string, node: string): Promise<Pod | undefined> {
  return (await podsOf(site, app)).find(({ spec }) => spec?.nodeName === node);
}

const shown = ({ metadata, spec, status }: Pod): unknown => ({
  name: metadata.name,
  node: spec?.nodeName,
  isDeleted: metadata.deletionTimestamp !== undefined,
  status,
});

function readyPod(
  site: Site,
  app: string,
  { what, fits }: { readonly what: string; readonly fits: (pod: Pod) => boolean },
): Promise<Pod> {
  return site.until({ what: `a ready pod of ${app} ${what}`, timeoutMs: 180_000 }, async () => {
    const pods = await podsOf(site, app);
    const found = pods.find((pod) => fits(pod) && isReady(pod));
    if (found !== undefined) return found;
    throw new Error(`there are ${JSON.stringify(pods.map(shown))}`);
  });
}

/** Resolves with the pod of an app on a node once it is ready. */
export function readyOn(site: Site, app: string, node: string): Promise<Pod> {
  return readyPod(site, app, { what: `on ${node}`, fits: ({ spec }) => spec?.nodeName === node });
}

/** Resolves with a ready pod of an app that is not on that node. */
export function readyElsewhere(site: Site, app: string, than: string): Promise<Pod> {
  return readyPod(site, app, { what: `not on ${than}`, fits: ({ spec }) => spec?.nodeName !== than });
}

/** The containers of a pod that run, as the runtime of its node knows it. */
export async function containersOf(site: Site, { metadata, spec }: Pod): Promise<readonly string[]> {
  const all = await site.bed.containers(spec?.nodeName ?? '', { pod: metadata.name ?? '' });
  return all
    .filter(({ podUid, state }) => podUid === metadata.uid && state === 'running')
    .map(({ id }) => id);
}
