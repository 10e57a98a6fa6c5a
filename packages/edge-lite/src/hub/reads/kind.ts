import type { KubeObject } from '@selvedge/kube';
import type { ResourceReader } from '../replica/types.ts';
import type { Types } from './types.ts';

/** The kind of a resource's objects: known, or what the first one says. */
export function kindOf(reader: ResourceReader, types: Types): string | undefined {
  const known = types.kindOf(reader.resource);
  if (known !== undefined) return known;
  const page = reader.page({ limit: 1 });
  const first = page === 'expired' ? undefined : page[0];
  return first === undefined ? undefined : (JSON.parse(first.json) as KubeObject).kind;
}
