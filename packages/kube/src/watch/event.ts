import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '../object.ts';
import { statusError } from '../status.ts';

/** A change of one object. The object of `DELETED` is its last state, with the version of the deletion. */
export interface ObjectEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** The client has seen everything up to `resourceVersion`. */
export interface BookmarkEvent {
  readonly type: 'BOOKMARK';
  readonly resourceVersion: string;
  /** The last of a streaming list. Source: KEP-3157 "Watch-list". */
  readonly endOfInitialEvents: boolean;
}

export type WatchEvent<T> = ObjectEvent<T> | BookmarkEvent;

const endAnnotation = 'k8s.io/initial-events-end';
const changes: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED']);

function corrupt(what: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`${what}: not a watch event`, { code: 'Corrupt', cause });
}

function parse(line: string, what: string): { readonly type: string; readonly object: object } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw corrupt(what, cause);
  }
  const event = value as { readonly type?: unknown; readonly object?: unknown } | null;
  if (typeof event?.type !== 'string' || typeof event.object !== 'object' || event.object === null)
    throw corrupt(what);
  return { type: event.type, object: event.object };
}

/**
 * One line of a watch. Pure. Throws the error inside an ERROR event (`Gone` when the version is too old), and `Corrupt`.
 * `what` names the watch in errors. Source: kubernetes.io "Kubernetes API Concepts", efficient detection of changes.
 */
export function parseWatchEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  const { type, object } = parse(line, what);
  if (type === 'ERROR') {
    const httpStatus = 'code' in object && typeof object.code === 'number' ? object.code : 500;
    throw statusError({ what, httpStatus, body: object });
  }
  const known = object as T;
  if (known.metadata?.resourceVersion === undefined) throw corrupt(what);
  if (type === 'BOOKMARK') {
    const endOfInitialEvents = known.metadata.annotations?.[endAnnotation] === 'true';
    return { type, resourceVersion: known.metadata.resourceVersion, endOfInitialEvents };
  }
  if (!changes.has(type)) throw corrupt(what);
  return { type: type as ObjectEvent<T>['type'], object: known };
}

/** The version up to which the client is current after `event`. */
export function versionOf<T extends KubeObject>(event: WatchEvent<T>): string {
  return event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
}
