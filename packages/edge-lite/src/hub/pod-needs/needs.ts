import type { KubeObject } from '@selvedge/kube';
import type { Pod, PodSpec, Volume } from '@selvedge/kube/types';
import { type ObjectRef, type TokenQuery, references } from '../../pods/index.ts';

/** What the kubelet asks for before it starts a pod. */
export interface PodNeeds {
  /** Config maps and secrets. */
  readonly objects: readonly ObjectRef[];
  readonly tokens: readonly TokenQuery[];
}

const terminal: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

/** Secrets of volumes that lite nodes do not mount. */
function secretNames(volume: Volume): readonly (string | undefined)[] {
  const { azureFile, cephfs, cinder, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  const withRef = [cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos];
  return [
    azureFile?.secretName,
    csi?.nodePublishSecretRef?.name,
    ...withRef.map((source) => source?.secretRef?.name),
  ];
}

function objectsOf(pod: Pod, { volumes = [] }: PodSpec): readonly ObjectRef[] {
  const { namespace = '' } = pod.metadata;
  const secrets = volumes.flatMap(secretNames).filter((name) => name !== undefined && name !== '');
  return [
    ...references(pod),
    ...secrets.map((name): ObjectRef => ({ resource: 'secrets', namespace, name: name ?? '' })),
  ];
}

const defaultExpirationSeconds = 3_600;

function tokensOf({ metadata }: Pod, { volumes = [], serviceAccountName }: PodSpec): readonly TokenQuery[] {
  const { namespace = '', name = '', uid = '' } = metadata;
  const projections = volumes.flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }) => serviceAccountToken ?? []),
  );
  return projections.map(({ audience = '', expirationSeconds = defaultExpirationSeconds }) => ({
    pod: { namespace, name, uid },
    serviceAccount: serviceAccountName ?? 'default',
    audiences: audience === '' ? [] : [audience],
    expirationSeconds,
  }));
}

/**
 * What a pod of this node needs; undefined for others, and for those that are over. Pure.
 * Source: `pkg/api/v1/pod/util.go` VisitPodSecretNames, VisitPodConfigmapNames; `pkg/volume/projected`.
 */
export function needsOf(object: KubeObject, nodeName: string): PodNeeds | undefined {
  const pod = object as Pod;
  const { spec, status, metadata } = pod;
  if (spec?.nodeName !== nodeName || terminal.has(status?.phase)) return undefined;
  const tokens = metadata.deletionTimestamp === undefined ? tokensOf(pod, spec) : [];
  return { objects: objectsOf(pod, spec), tokens };
}
