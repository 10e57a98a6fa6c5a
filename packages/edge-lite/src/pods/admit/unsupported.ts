import type {
  Container,
  EphemeralContainer,
  Pod,
  PodSpec,
  Volume,
  VolumeProjection,
} from '@selvedge/kube/types';

/** A field of the pod that this node cannot honour, such as `spec.volumes[0].persistentVolumeClaim`. */
export type FieldPath = string;

const volumeSources = ['emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected'];
const projectedSources = ['configMap', 'secret', 'downwardAPI', 'serviceAccountToken'];

function fieldsBut(object: object, known: readonly string[]): readonly string[] {
  return Object.entries(object)
    .filter(([field, value]) => value !== undefined && !known.includes(field))
    .map(([field]) => field);
}

function inProjection(source: VolumeProjection, path: FieldPath): readonly FieldPath[] {
  return fieldsBut(source, projectedSources).map((field) => `${path}.${field}`);
}

function inVolume(volume: Volume, path: FieldPath): readonly FieldPath[] {
  const medium = volume.emptyDir?.medium ?? '';
  return [
    ...fieldsBut(volume, ['name', ...volumeSources]).map((field) => `${path}.${field}`),
    ...(medium === '' || medium === 'Memory' ? [] : [`${path}.emptyDir.medium`]),
    ...(volume.projected?.sources ?? []).flatMap((source, index) =>
      inProjection(source, `${path}.projected.sources[${index}]`),
    ),
  ];
}

/** Devices and other resources that only a plugin could hand out. */
function foreignResources(container: Container, path: FieldPath): readonly FieldPath[] {
  const names = Object.keys({ ...container.resources?.requests, ...container.resources?.limits });
  return names.filter((name) => name.includes('/')).map((name) => `${path}.resources.limits[${name}]`);
}

/** `path[n].field` of the first item that is as it must not be. */
function firstOf<T>(
  items: readonly T[] | undefined,
  path: FieldPath,
  bad: (item: T) => boolean,
): readonly FieldPath[] {
  const index = (items ?? []).findIndex(bad);
  return index < 0 ? [] : [path.replace('*', String(index))];
}

function inContainer(container: Container, path: FieldPath): readonly FieldPath[] {
  const { restartPolicyRules, volumeMounts, volumeDevices, resources, securityContext } = container;
  const all = `${path}.restartPolicyRules[*].action`;
  const recursive = `${path}.volumeMounts[*].recursiveReadOnly`;
  const windows = securityContext?.windowsOptions !== undefined;
  return [
    ...firstOf(volumeDevices, `${path}.volumeDevices`, () => true),
    ...firstOf(restartPolicyRules, all, ({ action }) => action === 'RestartAllContainers'),
    ...firstOf(volumeMounts, recursive, ({ recursiveReadOnly }) => recursiveReadOnly === 'Enabled'),
    ...firstOf(resources?.claims, `${path}.resources.claims`, () => true),
    ...(windows ? [`${path}.securityContext.windowsOptions`] : []),
    ...foreignResources(container, path),
  ];
}

function inSpec(spec: PodSpec): readonly FieldPath[] {
  const given: Readonly<Record<string, boolean>> = {
    'spec.runtimeClassName': (spec.runtimeClassName ?? '') !== '',
    'spec.resourceClaims': (spec.resourceClaims ?? []).length > 0,
    'spec.hostUsers': spec.hostUsers === false,
    'spec.overhead': Object.keys(spec.overhead ?? {}).length > 0,
    'spec.securityContext.windowsOptions': spec.securityContext?.windowsOptions !== undefined,
    'spec.securityContext.supplementalGroupsPolicy':
      spec.securityContext?.supplementalGroupsPolicy === 'Strict',
  };
  return Object.entries(given).flatMap(([path, present]) => (present ? [path] : []));
}

function inEphemeral(containers: readonly EphemeralContainer[] | undefined): readonly FieldPath[] {
  return (containers ?? []).map((_, index) => `spec.ephemeralContainers[${index}]`);
}

/** Every field of the pod that this node cannot honour. Such a pod is refused, never run by half. */
export function unsupportedFields({ spec }: Pod): readonly FieldPath[] {
  if (spec === undefined) return [];
  return [
    ...inSpec(spec),
    ...(spec.volumes ?? []).flatMap((volume, index) => inVolume(volume, `spec.volumes[${index}]`)),
    ...(spec.initContainers ?? []).flatMap((one, index) => inContainer(one, `spec.initContainers[${index}]`)),
    ...spec.containers.flatMap((one, index) => inContainer(one, `spec.containers[${index}]`)),
    ...inEphemeral(spec.ephemeralContainers),
  ];
}
