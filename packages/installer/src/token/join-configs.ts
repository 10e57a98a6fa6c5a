import { bootstrappersGroup } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import type { ConfigMap, Role, RoleBinding } from '@selvedge/kube/types';
import { type ClusterChange, managed } from '../changes/index.ts';
import { publishedCa } from '../cloud/index.ts';
import type { Unread } from '../reading/index.ts';
import type { TunnelSeen } from './tunnel-seen.ts';

/** A key of a ConfigMap that a machine reads before it joins, by its token. */
export interface JoinConfig {
  readonly at: { readonly namespace: string; readonly name: string };
  readonly key: string;
  /** The Role and the RoleBinding by which any token may. */
  readonly readers: string;
}

export const tunnelCaConfig: JoinConfig = { ...publishedCa, readers: 'selvedge:tunnel-ca' };

/** What kubelets are told, the cluster's DNS among it; kubeadm keeps it, and opens it to its own tokens. */
export const kubeletConfig: JoinConfig = {
  at: { namespace: 'kube-system', name: 'kubelet-config' },
  key: 'kubelet',
  readers: 'selvedge:kubelet-config',
};

/** What there is of it. */
export interface JoinConfigSeen {
  readonly text: string | undefined;
  /** Whether its readers are there. */
  readonly isOpen: boolean;
  /** Parts of it that may not be read; absent: none. */
  readonly unread?: readonly Unread[] | undefined;
}

const where = 'cluster';
const apiGroup = 'rbac.authorization.k8s.io';

function readersOf({ at: { namespace, name }, readers }: JoinConfig): readonly [Role, RoleBinding] {
  const metadata = { namespace, name: readers, labels: managed };
  return [
    {
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get'] }],
    },
    {
      metadata,
      roleRef: { apiGroup, kind: 'Role', name: readers },
      subjects: [{ apiGroup, kind: 'Group', name: bootstrappersGroup }],
    },
  ];
}

/** Lets tokens read it, if it is known that they cannot. Pure. */
function openChanges(config: JoinConfig, { isOpen, unread }: JoinConfigSeen): readonly ClusterChange[] {
  if (isOpen || unread !== undefined) return [];
  const { namespace, name } = config.at;
  const [role, binding] = readersOf(config);
  const what = (kind: string): string =>
    `make ConfigMap ${namespace}/${name} readable with a token: ${kind} ${namespace}/${config.readers}`;
  return [
    { where, what: what('Role'), write: { kind: 'apply', resource: resources.roles, object: role } },
    {
      where,
      what: what('RoleBinding'),
      write: { kind: 'apply', resource: resources.roleBindings, object: binding },
    },
  ];
}

/** Pure. */
export const kubeletConfigChanges = (seen: JoinConfigSeen): readonly ClusterChange[] =>
  seen.text === undefined ? [] : openChanges(kubeletConfig, seen);

/**
 * What makes of what there is what machines have to read. What a person published stays where nobody else knows who signed the
 * certificate. Nothing while that may not be read. Pure.
 */
export function tunnelCaChanges(tunnel: TunnelSeen, seen: JoinConfigSeen): readonly ClusterChange[] {
  if (seen.unread !== undefined) return [];
  const { at, key } = tunnelCaConfig;
  const shown = `ConfigMap ${at.namespace}/${at.name}`;
  const resource = resources.configMaps;
  if (tunnel.kind !== 'known') return seen.text === undefined ? [] : openChanges(tunnelCaConfig, seen);
  const { ca } = tunnel;
  if (ca === undefined) {
    if (seen.text === undefined) return [];
    const what = `delete the published tunnel CA, which is now the cluster CA: ${shown}`;
    return [{ where, what, write: { kind: 'delete', resource, at } }];
  }
  const object: ConfigMap = { metadata: { ...at, labels: managed }, data: { [key]: ca } };
  const written: ClusterChange = {
    where,
    what: `publish the CA of the tunnel certificate: ${shown}`,
    write: { kind: 'apply', resource, object },
  };
  return [...(seen.text === ca ? [] : [written]), ...openChanges(tunnelCaConfig, seen)];
}
