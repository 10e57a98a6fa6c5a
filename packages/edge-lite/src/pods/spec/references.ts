import type { Container, Pod, Volume, VolumeProjection } from '@selvedge/kube/types';

import type { ObjectRef } from '../ports.ts';
import { allContainers, podRef } from './identity.ts';

type Name = string | undefined;

interface Names {
  readonly configmaps: readonly Name[];
  readonly secrets: readonly Name[];
}

function ofContainer({ env = [], envFrom = [] }: Container): Names {
  return {
    configmaps: [
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ],
    secrets: [
      ...envFrom.map(({ secretRef }) => secretRef?.name),
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ],
  };
}

function ofVolume(volume: Volume): Names {
  const sources: readonly VolumeProjection[] = volume.projected?.sources ?? [];
  return {
    configmaps: [volume.configMap?.name, ...sources.map(({ configMap }) => configMap?.name)],
    secrets: [volume.secret?.secretName, ...sources.map(({ secret }) => secret?.name)],
  };
}

function refs(pod: Pod, all: readonly Names[]): readonly ObjectRef[] {
  const { namespace } = podRef(pod);
  return (['configmaps', 'secrets'] as const).flatMap((resource) => {
    const names = new Set(all.flatMap((each) => each[resource]));
    return [...names]
      .filter((name) => name !== undefined && name !== '')
      .map((name): ObjectRef => ({ resource, namespace, name: name ?? '' }));
  });
}

/** The config maps and secrets that the pod's volumes show. */
export function volumeReferences(pod: Pod): readonly ObjectRef[] {
  return refs(pod, (pod.spec?.volumes ?? []).map(ofVolume));
}

/** Every config map and secret that the pod refers to: volumes, environment, pull secrets. */
export function references(pod: Pod): readonly ObjectRef[] {
  const pullSecrets = pod.spec?.imagePullSecrets?.map(({ name }) => name) ?? [];
  return refs(pod, [
    ...(pod.spec?.volumes ?? []).map(ofVolume),
    ...allContainers(pod).map(ofContainer),
    { configmaps: [], secrets: pullSecrets },
  ]);
}
