import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createKubeMetrics, resources } from '@selvedge/kube';
import type { ConfigMap, TokenRequest } from '@selvedge/kube/types';
import { createLocalClient } from '../../packages/edge-lite/src/hub/local-client/index.ts';
import type { Caller, HubHandler } from '../../packages/edge-lite/src/hub/request.ts';
import { type HubCluster, namespace } from './hub-cluster.ts';

const { signal } = new AbortController();

export const at = (name: string): { readonly name: string; readonly namespace: string } => ({
  name,
  namespace,
});

export const configMap = (name: string, data: Readonly<Record<string, string>> = {}): ConfigMap => ({
  metadata: at(name),
  data,
});

/** A service account that may do anything. */
export async function administrator({ admin }: Pick<HubCluster, 'admin'>): Promise<Caller> {
  await admin.create(resources.serviceAccounts, { metadata: at('root') }, { signal });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ kind: 'ServiceAccount', ...at('root') }];
  await admin.create(
    resources.clusterRoleBindings,
    { metadata: { name: 'root' }, roleRef, subjects },
    { signal },
  );
  const to = { ...at('root'), subresource: 'token' };
  const body: TokenRequest = { metadata: {}, spec: { audiences: [] } };
  const { status } = await admin.createSubresource(resources.serviceAccounts, to, { body, signal });
  const user = { username: `system:serviceaccount:${namespace}:root`, groups: [] };
  return { kind: 'token', token: status?.token ?? '', user, pod: undefined };
}

/** Speaks to the handler as that caller. */
export function clientOf(caller: Caller, handler: HubHandler): KubeClient {
  const metrics = createKubeMetrics(createMetricsRegistry());
  const deps = { clock: systemClock, random: seededRandom(1), log: recordingLogger(), metrics };
  return createLocalClient({ userAgent: 'forwarded', caller }, { ...deps, handler });
}
