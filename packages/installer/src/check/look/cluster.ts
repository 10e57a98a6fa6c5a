import { bootstrappersGroup } from '@selvedge/api';
import { type KubeObject, defineResource, isObject, resources } from '@selvedge/kube';
import type { Pod, Service } from '@selvedge/kube/types';
import { cloudRights, cloudStatus, tunnelService } from '../../cloud/index.ts';
import { isGiven, renewalRight } from '../../group-rights.ts';
import { type Reading, type Seen, seenOr } from '../../reading/index.ts';
import type { Budget, ClusterFacts } from '../facts.ts';
import type { CheckDeps } from '../types.ts';
import { apiServersOf } from './api-servers.ts';
import { lookAtDns } from './dns.ts';
import { otherSystemsOf } from './other-systems.ts';
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

/** As `modeOf`; undefined: there is no kube-proxy; empty: nobody knows. */
export async function proxyMode(reading: Reading): Promise<string | undefined> {
  const at = { namespace: 'kube-system', name: 'kube-proxy' };
  const daemonSet = await reading.get(resources.daemonSets, at);
  if (daemonSet.kind === 'absent') return undefined;
  const config = await reading.get(resources.configMaps, at);
  if (config.kind !== 'seen') return '';
  return modeOf(config.value.data?.['config.conf'] ?? '');
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

/** What there is in the cluster. What may not be read is told by `reading`. */
export async function lookAtCluster(
  { pods, reading }: { readonly pods: Seen<readonly Pod[]>; readonly reading: Reading },
  deps: CheckDeps,
): Promise<ClusterFacts> {
  const rootCa = { namespace: 'kube-system', name: 'kube-root-ca.crt' };
  const [rights, bindings, definitions, configurations, denied, dns, kubeProxyMode, ca, cloud, balancer] =
    await Promise.all([
      missingRights(cloudRights(), deps.cluster, deps.signal),
      reading.list(resources.clusterRoleBindings),
      reading.list<KubeObject>(resources.customResourceDefinitions),
      reading.list<KubeObject>(resources.validatingWebhookConfigurations),
      reading.list(budgets),
      lookAtDns({ pods, reading }),
      proxyMode(reading),
      reading.get(resources.configMaps, rootCa),
      cloudStatus(reading),
      reading.get(resources.services, tunnelService),
    ]);
  const given = seenOr(bindings, []);
  return {
    ...(await lookAtServer(deps)),
    unread: reading.unread,
    missingRights: rights,
    apiServers: pods.kind === 'seen' ? apiServersOf(pods.value) : undefined,
    bindings: given.filter(({ subjects = [] }) => subjects.some(({ name }) => isForNewcomers(name))),
    nodesRenew: given.length === 0 ? undefined : isGiven(renewalRight, given),
    guardsJoining: configurations.kind === 'seen' ? guardsJoining(configurations.value) : undefined,
    kubeProxyMode,
    dns,
    otherSystems: otherSystemsOf(seenOr(definitions, [])),
    ca: ca.kind === 'seen' ? ca.value.data?.['ca.crt'] : undefined,
    budgets: deniedBudgets(seenOr(denied, [])),
    cloud,
    caughtAddresses: caughtAddresses(seenOr(balancer, {})),
  };
}

/** Groups of whoever has a bootstrap token, or less. */
export function isForNewcomers(group: string): boolean {
  return (
    group.startsWith(bootstrappersGroup) || ['system:authenticated', 'system:unauthenticated'].includes(group)
  );
}
