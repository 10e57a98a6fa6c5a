import { labels } from '@selvedge/api';
import type { LabelSet } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { Machine } from '../host/index.ts';

/** A Node, as far as converting it depends on it. */
export interface ClusterNode extends Machine {
  readonly uid: string;
  readonly labels: LabelSet;
  /** The EdgeUnit that it belongs to. */
  readonly unit?: string;
  readonly role: 'worker' | 'control-plane';
  /** `linux`, `windows`. */
  readonly os: string;
  /** edge-lite runs its pods: it has no kubelet. */
  readonly isLite: boolean;
  readonly isReady: boolean;
}

/** Source: kubernetes.io "Well-Known Labels". The second one is older, and is what some distributions still set. */
const controlPlaneLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
/** Where a machine can be reached from outside of it, best first. */
const addressTypes = ['InternalIP', 'ExternalIP', 'Hostname'];

function addressesOf({ status }: Node): readonly string[] {
  const all = status?.addresses ?? [];
  return addressTypes.flatMap((type) => all.filter((one) => one.type === type).map((one) => one.address));
}

function isReady({ status }: Node): boolean {
  return (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');
}

/** A Node of which no kubelet has told anything yet has an empty one. */
function osOf({ metadata, status }: Node): string {
  const said = [metadata.labels?.['kubernetes.io/os'], status?.nodeInfo?.operatingSystem];
  return said.find((os) => os !== undefined && os !== '') ?? 'linux';
}

export function clusterNodeOf(node: Node): ClusterNode {
  const { name = '', uid = '', labels: all = {} } = node.metadata;
  const unit = all[labels.nodeUnit];
  return {
    name,
    uid,
    labels: all,
    addresses: addressesOf(node),
    role: controlPlaneLabels.some((label) => label in all) ? 'control-plane' : 'worker',
    os: osOf(node),
    isLite: labels.nodeVersion in all,
    isReady: isReady(node),
    ...(unit === undefined ? {} : { unit }),
  };
}
