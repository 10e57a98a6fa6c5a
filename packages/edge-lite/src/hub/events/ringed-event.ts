import type { KubeObject } from '@selvedge/kube';
import type { ObjectMeta } from '@selvedge/kube/types';
import type { Caller } from '../request.ts';

type Json = Readonly<Record<string, unknown>>;

/** An event, or a change of one, that the API server has not heard of. */
export interface RingedEvent {
  readonly caller: Caller;
  /** `create`: `body` is the event. `patch`: fields that are to be set on one that the API server has. */
  readonly verb: 'create' | 'patch';
  /** Where it is sent: of the collection, or of the event. */
  readonly path: string;
  readonly name: string;
  readonly body: Json;
}

/** The collection's path and the name: what makes two of them the same event. */
export function identityOf({ verb, path, name }: RingedEvent): string {
  return verb === 'create' ? `${path}/${name}` : path;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386; events have no lists that a patch of theirs touches. */
export function mergeFields(into: Json, patch: Json): Json {
  const merged: Record<string, unknown> = { ...into };
  for (const [field, value] of Object.entries(patch)) {
    const before = merged[field];
    if (value === null) delete merged[field];
    else merged[field] = isObject(value) ? mergeFields(isObject(before) ? before : {}, value) : value;
  }
  return merged;
}

export interface NewEvent {
  readonly namespace: string;
  readonly nowMs: number;
  /** For one that asks for a name of its own: `generateName`. */
  readonly suffix: string;
  readonly uid: string;
}

/** The event as the API server would have stored it, but for its version. */
export function storedEvent(body: Json, { namespace, nowMs, suffix, uid }: NewEvent): KubeObject & Json {
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const { name: given = '', generateName = '' } = metadata as ObjectMeta;
  const name = given === '' ? `${generateName}${suffix}` : given;
  const creationTimestamp = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { ...body, metadata: { ...metadata, name, namespace, uid, creationTimestamp } };
}
