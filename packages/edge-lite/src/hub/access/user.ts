import { authenticatedGroup, credentialIdKey } from '@selvedge/kube';
import * as v from 'valibot';
import type { PodIdentity, UserInfo } from '../request.ts';

const prefix = 'authentication.kubernetes.io/';

/** What the API server tells of a credential beside its user. Source: k8s.io/apiserver, `serviceaccount/util.go`. */
export const extraKeys = {
  podName: `${prefix}pod-name`,
  podUid: `${prefix}pod-uid`,
  nodeName: `${prefix}node-name`,
  nodeUid: `${prefix}node-uid`,
  credentialId: credentialIdKey,
} as const;

const accountPrefix = 'system:serviceaccount:';

const objectRef = v.object({ name: v.string(), uid: v.string() });

/** The claims of a token by which a service account names itself. Source: KEP-1205, KEP-4193. */
const claims = v.object({
  sub: v.string(),
  jti: v.optional(v.string()),
  'kubernetes.io': v.object({
    namespace: v.string(),
    serviceaccount: objectRef,
    pod: v.optional(objectRef),
    node: v.optional(v.object({ name: v.string(), uid: v.optional(v.string()) })),
  }),
});

type Claims = v.InferOutput<typeof claims>;

function extraOf({
  jti,
  'kubernetes.io': { pod, node },
}: Claims): Readonly<Record<string, readonly string[]>> {
  return {
    ...(pod === undefined ? {} : { [extraKeys.podName]: [pod.name], [extraKeys.podUid]: [pod.uid] }),
    ...(jti === undefined ? {} : { [extraKeys.credentialId]: [`JTI=${jti}`] }),
    ...(node === undefined ? {} : { [extraKeys.nodeName]: [node.name] }),
    ...(node?.uid === undefined ? {} : { [extraKeys.nodeUid]: [node.uid] }),
  };
}

/** The user that the API server makes of a service account's claims; undefined if they are of another kind. */
export function userOfClaims(payload: unknown): UserInfo | undefined {
  const parsed = v.safeParse(claims, payload);
  if (!parsed.success) return undefined;
  const { namespace, serviceaccount } = parsed.output['kubernetes.io'];
  const username = `${accountPrefix}${namespace}:${serviceaccount.name}`;
  if (parsed.output.sub !== username) return undefined;
  return {
    username,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup],
    extra: extraOf(parsed.output),
  };
}

export const isServiceAccount = ({ username }: UserInfo): boolean => username.startsWith(accountPrefix);

/** The pod that a service account's token is bound to. */
export function podOf(user: UserInfo): PodIdentity | undefined {
  const name = user.extra?.[extraKeys.podName]?.[0];
  const uid = user.extra?.[extraKeys.podUid]?.[0];
  if (!isServiceAccount(user) || name === undefined || uid === undefined) return undefined;
  const [namespace = ''] = user.username.slice(accountPrefix.length).split(':');
  return { namespace, name, uid };
}
