import { SelvedgeError } from '@selvedge/kit';
import type { ConfigMap, KeyToPath, Pod, Secret } from '@selvedge/kube/types';

import { findConfigMap, findSecret, podRef, type ObjectReader } from '../spec/index.ts';
import type { Payload, ProjectedFile } from './payload-types.ts';

/** Whose objects are shown. */
interface Holder {
  readonly pod: Pod;
  readonly objects: ObjectReader;
}

interface Selection {
  readonly items: readonly KeyToPath[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
  /** The kubelet's words for a key that is not there, up to its name. */
  readonly missing: string;
}

type Contents = ReadonlyMap<string, Buffer>;

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

export function configMapFiles(of: Holder, source: ObjectSelection, defaultMode: number): Payload {
  const { name = '', items, optional = false } = source;
  const object = findConfigMap(of.objects, { namespace: podRef(of.pod).namespace, name, optional });
  const missing = 'configmap references non-existent config key';
  return select(configMapContents(object), { items, defaultMode, optional, missing });
}

export function secretFiles(of: Holder, source: ObjectSelection, defaultMode: number): Payload {
  const { name = '', items, optional = false } = source;
  const query = { namespace: podRef(of.pod).namespace, name, optional };
  const object: Secret | undefined = findSecret(of.objects, query);
  const missing = 'references non-existent secret key';
  return select(decoded(object?.data), { items, defaultMode, optional, missing });
}
