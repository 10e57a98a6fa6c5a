import type { Container, Pod } from '@selvedge/kube/types';

import type { PodRef } from '../ports.ts';

export function podRef(pod: Pod): PodRef {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return { namespace, name, uid };
}

/** A pod as the kubelet names it in messages: `name_namespace(uid)`. */
export function podTitle(pod: Pod): string {
  const { namespace, name, uid } = podRef(pod);
  return `${name}_${namespace}(${uid})`;
}

/** Init containers first, in the order of the spec. */
export function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

/** `<namespace>_<name>_<uid>`: the name of a pod's log folder. */
export function logFolder(pod: Pod): string {
  const { namespace, name, uid } = podRef(pod);
  return `${namespace}_${name}_${uid}`;
}
