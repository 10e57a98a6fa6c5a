import { SelvedgeError } from '@selvedge/kit';
import type { ConfigMap, Secret } from '@selvedge/kube/types';

import type { Lookup, ObjectSource } from '../ports.ts';
import { quote } from './quote.ts';

/** The reading side of an `ObjectSource`. */
export type ObjectReader = Pick<ObjectSource, 'get'>;

interface Query {
  readonly namespace: string;
  readonly name: string;
  /** Absence is fine. */
  readonly optional: boolean;
}

function judge<T>(found: Lookup<T>, word: string, { name, optional }: Query): T | undefined {
  if (found.kind === 'present') return found.object;
  if (found.kind === 'unknown') {
    const text = `failed to sync ${word} cache: ${quote(name)} has not been read yet`;
    throw new SelvedgeError(text, { code: 'Unavailable' });
  }
  if (optional) return undefined;
  throw new SelvedgeError(`${word} ${quote(name)} not found`, { code: 'NotFound' });
}

/** `undefined` if it is optional and proven absent. Throws `NotFound` or `Unavailable` with the kubelet's words. */
export function findConfigMap(objects: ObjectReader, query: Query): ConfigMap | undefined {
  const { namespace, name } = query;
  return judge(objects.get<ConfigMap>({ resource: 'configmaps', namespace, name }), 'configmap', query);
}

/** As `findConfigMap`. */
export function findSecret(objects: ObjectReader, query: Query): Secret | undefined {
  const { namespace, name } = query;
  return judge(objects.get<Secret>({ resource: 'secrets', namespace, name }), 'secret', query);
}
