import { bootstrappersGroup, labels, managerNamespace } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import type { ConfigMap, Role, RoleBinding } from '@selvedge/kube/types';
import type { ClusterChange } from '../changes/index.ts';

/** Where a machine that joins reads, by its token, who signs the certificate of the tunnel; not there: the cluster's CA. */
export const tunnelCaAt = { namespace: managerNamespace, name: 'cloud-manager-tunnel-ca' } as const;
export const tunnelCaKey = 'ca.crt';

/** What there is of it. */
export interface PublishedTunnelCa {
  /** PEM. */
  readonly ca: string | undefined;
  /** Whether holders of tokens may read it. */
  readonly isOpen: boolean;
}

const metadata = { ...tunnelCaAt, labels: { [labels.managedBy]: 'selvedge' } };
const readers = { ...metadata, name: 'selvedge:tunnel-ca' };
const apiGroup = 'rbac.authorization.k8s.io';

/** Of the Role and the RoleBinding. */
export const tunnelCaReaders = { namespace: readers.namespace, name: readers.name } as const;

const configMap = (ca: string): ConfigMap => ({ metadata, data: { [tunnelCaKey]: ca } });

const role: Role = {
  metadata: readers,
  rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [tunnelCaAt.name], verbs: ['get'] }],
};

/** Every token: that of `kubeadm token create` joins too, and nothing of it is secret. */
const binding: RoleBinding = {
  metadata: readers,
  roleRef: { apiGroup, kind: 'Role', name: readers.name },
  subjects: [{ apiGroup, kind: 'Group', name: bootstrappersGroup }],
};

const where = 'cluster';
const shown = `${tunnelCaAt.namespace}/${tunnelCaAt.name}`;

/** What makes of what there is what machines have to read. Pure. */
export function tunnelCaChanges(
  ca: string | undefined,
  { ca: present, isOpen }: PublishedTunnelCa,
): readonly ClusterChange[] {
  const { configMaps, roles, roleBindings } = resources;
  if (ca === undefined) {
    if (present === undefined) return [];
    const what = `delete the published tunnel CA, which is now the cluster CA: ConfigMap ${shown}`;
    return [{ where, what, write: { kind: 'delete', resource: configMaps, at: tunnelCaAt } }];
  }
  const written: ClusterChange = {
    where,
    what: `publish the CA of the tunnel certificate: ConfigMap ${shown}`,
    write: { kind: 'apply', resource: configMaps, object: configMap(ca) },
  };
  const opened: readonly ClusterChange[] = [
    {
      where,
      what: `make it readable with a token: Role ${readers.namespace}/${readers.name}`,
      write: { kind: 'apply', resource: roles, object: role },
    },
    {
      where,
      what: `make it readable with a token: RoleBinding ${readers.namespace}/${readers.name}`,
      write: { kind: 'apply', resource: roleBindings, object: binding },
    },
  ];
  return [...(present === ca ? [] : [written]), ...(isOpen ? [] : opened)];
}
