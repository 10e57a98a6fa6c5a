import { SelvedgeError } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { TokenRequest } from '@selvedge/kube/types';
import type { TokenSource } from '../pods/index.ts';

const timeoutMs = 20_000;

/** TokenRequest for pods of this node, bound to the pod: the token dies with it. */
export function createTokenSource(deps: {
  readonly client: Pick<KubeClient, 'createSubresource'>;
}): TokenSource {
  return {
    async request({ pod, serviceAccount, audiences, expirationSeconds }, signal) {
      const body: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences,
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
        },
      };
      const at = { namespace: pod.namespace, name: serviceAccount, subresource: 'token' };
      const answer = await deps.client.createSubresource(resources.serviceAccounts, at, {
        body,
        signal,
        timeoutMs,
      });
      const { token, expirationTimestamp } = answer.status ?? {};
      if (token === undefined || expirationTimestamp === undefined) {
        const message = `the API server issued no token for ${pod.namespace}/${serviceAccount}`;
        throw new SelvedgeError(message, { code: 'Internal' });
      }
      const lifetimeSeconds = answer.spec?.expirationSeconds ?? expirationSeconds;
      return { token, expiresAtMs: Date.parse(expirationTimestamp), lifetimeSeconds };
    },
  };
}
