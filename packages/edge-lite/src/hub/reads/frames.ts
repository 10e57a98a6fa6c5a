import type { KubeObject } from '@selvedge/kube';
import { statusOf } from '../answers/index.ts';
import type { Change } from '../replica/types.ts';
import { apiVersionOf } from '../request-info/index.ts';
import type { Selector } from '../selection/index.ts';
import type { Presenter } from './present.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/** One event of a watch as it is sent: a line of JSON. */
function frame(type: EventType, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

/** The last state of what is gone, under the version at which it went. */
function atVersion(json: string, version: bigint): string {
  const object = JSON.parse(json) as KubeObject;
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
}

function selected(selector: Selector, json: string | undefined): json is string {
  if (json === undefined) return false;
  return selector.byPlace || selector.matches(JSON.parse(json) as KubeObject) === true;
}

/**
 * What a watcher sees of a change: an object that comes into its selection is added, one that leaves it is deleted.
 * Undefined: nothing.
 */
export function changeFrame(change: Change, selector: Selector, presenter: Presenter): string | undefined {
  if (!selector.mayBeAt(change)) return undefined;
  const { before, after, version } = change;
  const was = selected(selector, before);
  if (selected(selector, after)) return frame(was ? 'MODIFIED' : 'ADDED', presenter.event(after));
  return was ? frame('DELETED', presenter.event(atVersion(before, version))) : undefined;
}

export function addedFrame(json: string, presenter: Presenter): string {
  return frame('ADDED', presenter.event(json));
}

export interface BookmarkOptions {
  readonly resource: string;
  readonly kind: string | undefined;
  readonly version: bigint;
  /** It is the one behind the initial events. */
  readonly initialEventsEnd: boolean;
}

/** Source: kubernetes.io "Kubernetes API Concepts", watch bookmarks and streaming lists. */
export function bookmarkFrame(options: BookmarkOptions, presenter: Presenter): string {
  const annotations = options.initialEventsEnd
    ? { annotations: { 'k8s.io/initial-events-end': 'true' } }
    : {};
  const object = {
    ...(options.kind === undefined ? {} : { kind: options.kind }),
    apiVersion: apiVersionOf(options.resource),
    metadata: { resourceVersion: String(options.version), creationTimestamp: null, ...annotations },
  };
  return frame('BOOKMARK', presenter.event(JSON.stringify(object)));
}

export function errorFrame(error: unknown): string {
  return frame('ERROR', JSON.stringify(statusOf(error)));
}
