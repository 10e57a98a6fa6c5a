import { SelvedgeError, hasCode } from '@selvedge/kit';
import type {
  DownwardAPIVolumeFile,
  Pod,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '@selvedge/kube/types';

import { metadataField, resourceField, type ObjectReader, type ResourceList } from '../spec/index.ts';
import { configMapFiles, secretFiles } from './object-files.ts';
import type { Payload, ProjectedFile } from './payload-types.ts';

export interface PayloadInput {
  readonly pod: Pod;
  readonly objects: ObjectReader;
  readonly allocatable: ResourceList;
  /** A token for the pod's service account. */
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>;
}

const standardMode = 0o644;

function downwardText({ pod, allocatable }: PayloadInput, file: DownwardAPIVolumeFile): string {
  if (file.fieldRef !== undefined) return metadataField(pod, file.fieldRef.fieldPath);
  if (file.resourceFieldRef === undefined) return '';
  return resourceField({ pod, selector: file.resourceFieldRef, allocatable });
}

function downwardFiles(
  input: PayloadInput,
  items: readonly DownwardAPIVolumeFile[] = [],
  defaultMode = standardMode,
): Payload {
  return new Map(
    items.map((file) => {
      const data = Buffer.from(downwardText(input, file));
      return [file.path, { data, mode: file.mode ?? defaultMode }];
    }),
  );
}

/** The user that all containers run as, if it is one. */
function commonUser({ spec }: Pod): number | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const users = containers.map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
  );
  return new Set(users).size === 1 ? users[0] : undefined;
}

async function tokenFile(
  input: PayloadInput,
  source: ServiceAccountTokenProjection,
  defaultMode: number,
): Promise<Payload> {
  const uid = commonUser(input.pod);
  const own = uid !== undefined || input.pod.spec?.securityContext?.fsGroup !== undefined;
  const file = { data: Buffer.from(await input.token(source)), mode: own ? 0o600 : defaultMode };
  return new Map([[source.path, uid === undefined ? file : { ...file, uid }]]);
}

async function sourceFiles(
  input: PayloadInput,
  source: VolumeProjection,
  defaultMode: number,
): Promise<Payload> {
  if (source.configMap !== undefined) return configMapFiles(input, source.configMap, defaultMode);
  if (source.secret !== undefined) return secretFiles(input, source.secret, defaultMode);
  if (source.downwardAPI !== undefined) return downwardFiles(input, source.downwardAPI.items, defaultMode);
  if (source.serviceAccountToken !== undefined) {
    return tokenFile(input, source.serviceAccountToken, defaultMode);
  }
  const [kind = 'an empty source'] = Object.keys(source);
  throw new SelvedgeError(`projected ${kind} is not supported on this node`, { code: 'Unsupported' });
}

/** One error for all: as it is if there is one, else the messages in brackets, as Go joins them. */
function joined(errors: readonly SelvedgeError[]): SelvedgeError | undefined {
  const [first] = errors;
  if (first === undefined || errors.length === 1) return first;
  const text = `[${[...new Set(errors.map(({ message }) => message))].join(', ')}]`;
  return new SelvedgeError(text, { code: first.code });
}

async function projectedFiles(input: PayloadInput, volume: Volume): Promise<Payload> {
  const { sources = [], defaultMode = standardMode } = volume.projected ?? {};
  const files = new Map<string, ProjectedFile>();
  const errors: SelvedgeError[] = [];
  for (const source of sources) {
    try {
      for (const [path, file] of await sourceFiles(input, source, defaultMode)) files.set(path, file);
    } catch (error) {
      if (!(error instanceof SelvedgeError) || hasCode(error, 'Aborted')) throw error;
      errors.push(error);
    }
  }
  const failure = joined(errors);
  if (failure !== undefined) throw failure;
  return files;
}

/**
 * The files that a configMap, secret, downwardAPI or projected volume shows. Throws with the kubelet's words.
 * Source: https://kubernetes.io/docs/concepts/storage/projected-volumes/
 */
export async function collectPayload(input: PayloadInput, volume: Volume): Promise<Payload> {
  const { configMap, secret, downwardAPI } = volume;
  if (configMap !== undefined) return configMapFiles(input, configMap, configMap.defaultMode ?? standardMode);
  if (secret !== undefined) {
    return secretFiles(input, { ...secret, name: secret.secretName }, secret.defaultMode ?? standardMode);
  }
  if (downwardAPI !== undefined) return downwardFiles(input, downwardAPI.items, downwardAPI.defaultMode);
  return projectedFiles(input, volume);
}
