import type { Pod, Secret } from '@selvedge/kube/types';

import type { ObjectSource } from '../ports.ts';
import {
  type NodeFacts,
  type ResourceList,
  containerConfig,
  podRef,
  resolveEnv,
  sandboxConfig,
  verifyNonRoot,
} from '../spec/index.ts';
import type { VolumeManager } from '../volumes/index.ts';
import type { PodBuilder } from './ports.ts';

export interface PodBuilderOptions {
  readonly node: NodeFacts;
}

export interface PodBuilderDeps {
  readonly objects: Pick<ObjectSource, 'get' | 'list' | 'synced'>;
  readonly volumes: Pick<VolumeManager, 'mounts'>;
  readonly hostIPs: () => readonly string[];
  readonly allocatable: () => ResourceList;
}

function secretOf(objects: PodBuilderDeps['objects'], pod: Pod, name: string | undefined): readonly Secret[] {
  const { namespace } = podRef(pod);
  const found = objects.get<Secret>({ resource: 'secrets', namespace, name: name ?? '' });
  return found.kind === 'present' ? [found.object] : [];
}

/** Joins the pure builders of the spec with the objects, the volumes and the node that they need. */
export function createPodBuilder(options: PodBuilderOptions, deps: PodBuilderDeps): PodBuilder {
  const { node } = options;
  const { objects, volumes, hostIPs, allocatable } = deps;
  return {
    sandbox: (pod, attempt) => sandboxConfig({ pod, attempt, node }),
    async containerConfig({ pod, container, restartCount, podIPs, image }, signal) {
      const user = { uid: image.record.uid, username: image.record.username };
      verifyNonRoot(pod, container, user);
      const env = resolveEnv({
        pod,
        container,
        podIPs,
        hostIPs: hostIPs(),
        allocatable: allocatable(),
        objects,
      });
      const ownIPs = pod.spec?.hostNetwork === true ? [] : podIPs;
      const mounts = await volumes.mounts({ pod, container, podIPs: ownIPs, env }, signal);
      return containerConfig({
        pod,
        container,
        restartCount,
        image: { ...user, ref: image.ref },
        env,
        mounts,
        node,
      });
    },
    pullSecrets: (pod) =>
      (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => secretOf(objects, pod, name)),
  };
}
