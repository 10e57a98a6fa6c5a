import type { Pod } from '@selvedge/kube/types';

import { podRef } from './identity.ts';
import type { CgroupFacts } from './node-facts.ts';
import { qosClass, type QosClass } from './qos.ts';

/** One of the QoS classes that have a cgroup of their own; guaranteed pods lie beside them. */
const classFolders: Readonly<Record<QosClass, readonly string[]>> = {
  Guaranteed: [],
  Burstable: ['burstable'],
  BestEffort: ['besteffort'],
};

function render(parts: readonly string[], driver: CgroupFacts['driver']): string {
  if (driver === 'cgroupfs') return `/${parts.join('/')}`;
  const escaped = parts.map((part) => part.replaceAll('-', '_'));
  return escaped.map((_, depth) => `/${escaped.slice(0, depth + 1).join('-')}.slice`).join('');
}

type Place = Pick<CgroupFacts, 'driver' | 'root'>;

function below({ root }: Place, ...parts: readonly string[]): readonly string[] {
  return [...root.split('/').filter((part) => part !== ''), 'kubepods', ...parts];
}

/** The cgroup of all pods of one QoS class. */
export function qosCgroup(quality: QosClass, place: Place): string {
  return render(below(place, ...classFolders[quality]), place.driver);
}

/**
 * A pod's cgroup, as a path below each hierarchy: `/kubepods/burstable/pod<uid>`, or for systemd
 * `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice`.
 */
export function podCgroup(pod: Pod, place: Place): string {
  const folders = classFolders[qosClass(pod)];
  return render(below(place, ...folders, `pod${podRef(pod).uid}`), place.driver);
}
