import { bootstrappersGroup, managerNamespace } from '@selvedge/api';
import {
  type KubeClient,
  type KubeObject,
  defineResource,
  ifFound,
  isObject,
  resources,
} from '@selvedge/kube';
import type { Pod, Service } from '@selvedge/kube/types';
import { cloudRights, cloudStatus } from '../../cloud/index.ts';
import { isGiven, renewalRight } from '../../group-rights.ts';
import type { Budget, ClusterFacts } from '../facts.ts';
import type { CheckDeps } from '../types.ts';
import { apiServersOf } from './api-servers.ts';
import { lookAtDns } from './dns.ts';
import { otherSystemsOf } from './other-systems.ts';
import type { Reading } from './readable.ts';
import { missingRights } from './rights.ts';

interface BudgetObject extends KubeObject {
  readonly status?: { readonly disruptionsAllowed?: number; readonly expectedPods?: number };
}

const budgets = defineResource<BudgetObject>({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
});

/** Where nodes connect. Source: charts/selvedge. */
const tunnelService = { namespace: managerNamespace, name: 'cloud-manager-tunnel' } as const;

/** Who the API server is, and what its clock says; asked last, so that nothing that was read is younger. */
export interface ServerSight {
  readonly version: string;
  readonly nowMs: number;
  readonly ownAheadMs: number;
}

/** Dates in answers are whole seconds. */
const dateDoubtMs = 1_000;

/** Source: kubernetes.io "Kubernetes API health endpoints" and RFC 9110, `Date`. */
export async function lookAtServer({ cluster, clock, signal }: CheckDeps): Promise<ServerSight> {
  const before = clock.now();
  const { headers, body } = await cluster.raw({ method: 'GET', path: '/version', timeoutMs: 15_000, signal });
  const after = clock.now();
  const said: unknown = JSON.parse(body.toString('utf8'));
  const version = isObject(said) ? said['gitVersion'] : undefined;
  const nowMs = Date.parse(headers.date ?? '') || after;
  const [early, late] = [before - nowMs - dateDoubtMs, after - nowMs];
  const ownAheadMs = early > 0 ? early : Math.min(late, 0);
  return { version: typeof version === 'string' ? version : '', nowMs, ownAheadMs };
}

/** kubeadm's ConfigMap of kube-proxy; an empty mode is the one that kube-proxy prefers. */
function modeOf(config: string): string {
  const [, mode = ''] = /^mode:\s*"?(\w*)"?\s*$/m.exec(config) ?? [];
  return mode === '' ? 'iptables' : mode;
}

async function proxyMode(cluster: KubeClient, signal: AbortSignal): Promise<string | undefined> {
  const at = { namespace: 'kube-system', name: 'kube-proxy' };
  await cluster.get(resources.daemonSets, at, { signal });
  const { data } = await cluster.get(resources.configMaps, at, { signal });
  return modeOf(data?.['config.conf'] ?? '');
}

function deniedBudgets(objects: readonly BudgetObject[]): readonly Budget[] {
  return objects
    .filter(({ status }) => (status?.expectedPods ?? 0) > 0 && status?.disruptionsAllowed === 0)
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }));
}

/** Whether our webhook has a say in certificate requests. */
function guardsJoining(configurations: readonly KubeObject[]): boolean {
  return configurations.some(
    (one) =>
      one.metadata.name === 'admission.selvedge.io' &&
      JSON.stringify(one).includes('certificatesigningrequests'),
  );
}

/** An ingress is `VIP` without being said. Source: kubernetes.io "Service", "Specifying IPMode of load balancer status". */
export function caughtAddresses({ status }: Pick<Service, 'status'>): readonly string[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip, ipMode }) => (ip === undefined || ipMode === 'Proxy' ? [] : [ip]));
}

/** All pods: few things are not found by them. */
export function listPods(reading: Reading, { cluster, signal }: CheckDeps): Promise<readonly Pod[]> {
  return reading.read('pods', [], async () => (await cluster.listAll(resources.pods, { signal })).items);
}

/** What there is in the cluster. Lists that may not be read are told by `reading`. */
export async function lookAtCluster(
  { pods, reading }: { readonly pods: readonly Pod[]; readonly reading: Reading },
  deps: CheckDeps,
): Promise<ClusterFacts> {
  const { cluster, signal } = deps;
  const list = <T extends KubeObject>(what: string, resource: Parameters<typeof cluster.listAll<T>>[0]) =>
    reading.read<readonly T[]>(what, [], async () => (await cluster.listAll(resource, { signal })).items);
  const rootCa = { namespace: 'kube-system', name: 'kube-root-ca.crt' };
  const [rights, bindings, definitions, configurations, denied, dns, kubeProxyMode, ca, cloud, caught] =
    await Promise.all([
      missingRights(cloudRights(), cluster, signal),
      list('cluster role bindings', resources.clusterRoleBindings),
      list<KubeObject>('custom resource definitions', resources.customResourceDefinitions),
      list('validating webhooks', resources.validatingWebhookConfigurations),
      list('pod disruption budgets', budgets),
      lookAtDns({ pods, reading }, cluster, signal),
      reading.read('kube-proxy', undefined, () => proxyMode(cluster, signal)),
      reading.read('ConfigMap kube-system/kube-root-ca.crt', undefined, async () => {
        const { data } = await cluster.get(resources.configMaps, rootCa, { signal });
        return data?.['ca.crt'];
      }),
      reading.read('the installation', { kind: 'none' } as const, () => cloudStatus(cluster, signal)),
      reading.read<readonly string[]>(
        `Service ${tunnelService.namespace}/${tunnelService.name}`,
        [],
        async () =>
          caughtAddresses((await ifFound(cluster.get(resources.services, tunnelService, { signal }))) ?? {}),
      ),
    ]);
  return {
    ...(await lookAtServer(deps)),
    unreadable: reading.unreadable,
    missingRights: rights,
    apiServers: apiServersOf(pods),
    bindings: bindings.filter(({ subjects = [] }) => subjects.some(({ name }) => isForNewcomers(name))),
    nodesRenew: bindings.length === 0 ? undefined : isGiven(renewalRight, bindings),
    guardsJoining: guardsJoining(configurations),
    kubeProxyMode,
    dns,
    otherSystems: otherSystemsOf(definitions),
    ca,
    budgets: deniedBudgets(denied),
    cloud,
    caughtAddresses: caught,
  };
}

/** Groups of whoever has a bootstrap token, or less. */
export function isForNewcomers(group: string): boolean {
  return (
    group.startsWith(bootstrappersGroup) || ['system:authenticated', 'system:unauthenticated'].includes(group)
  );
}
