import { SelvedgeError, hasCode } from '@selvedge/kit';
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '@selvedge/kube/types';

import {
  findConfigMap,
  findSecret,
  metadataField,
  podRef,
  resourceField,
  type ObjectReader,
  type ResourceList,
} from '../spec/index.ts';

export interface ProjectedFile {
  readonly data: Buffer;
  readonly mode: number;
  /** Who owns it, unless root. */
  readonly uid?: number;
}

/** Files by their path in the volume. */
export type Payload = ReadonlyMap<string, ProjectedFile>;

export interface PayloadInput {
  readonly pod: Pod;
  readonly objects: ObjectReader;
  readonly allocatable: ResourceList;
  /** A token for the pod's service account. */
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>;
}

interface Selection {
  readonly items: readonly KeyToPath[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
  /** The kubelet's words for a key that is not there, up to its name. */
  readonly missing: string;
}

type Contents = ReadonlyMap<string, Buffer>;

const standardMode = 0o644;

function select(contents: Contents, { items, defaultMode, optional, missing }: Selection): Payload {
  if (items === undefined || items.length === 0) {
    return new Map([...contents].map(([key, data]) => [key, { data, mode: defaultMode }]));
  }
  const payload = new Map<string, ProjectedFile>();
  for (const { key, path, mode = defaultMode } of items) {
    const data = contents.get(key);
    if (data !== undefined) payload.set(path, { data, mode });
    else if (!optional) throw new SelvedgeError(`${missing}: ${key}`, { code: 'NotFound' });
  }
  return payload;
}

const decoded = (data: Readonly<Record<string, string>> = {}): Contents =>
  new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));

function configMapContents(object: ConfigMap | undefined): Contents {
  const texts = Object.entries(object?.data ?? {});
  return new Map([
    ...texts.map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]),
    ...decoded(object?.binaryData),
  ]);
}

interface ObjectSelection {
  readonly name?: string | undefined;
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

function configMapFiles(input: PayloadInput, source: ObjectSelection, defaultMode: number): Payload {
  const { name = '', items, optional = false } = source;
  const object = findConfigMap(input.objects, { namespace: podRef(input.pod).namespace, name, optional });
  const missing = 'configmap references non-existent config key';
  return select(configMapContents(object), { items, defaultMode, optional, missing });
}

function secretFiles(input: PayloadInput, source: ObjectSelection, defaultMode: number): Payload {
  const { name = '', items, optional = false } = source;
  const query = { namespace: podRef(input.pod).namespace, name, optional };
  const object: Secret | undefined = findSecret(input.objects, query);
  const missing = 'references non-existent secret key';
  return select(decoded(object?.data), { items, defaultMode, optional, missing });
}

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
