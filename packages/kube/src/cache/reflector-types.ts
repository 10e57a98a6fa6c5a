import type { Clock, Logger, Random, Service } from '@selvedge/kit';
import type { KubeClient, Projection, Selection } from '../client.ts';
import type { KubeMetrics } from '../metrics.ts';
import type { KubeObject } from '../object.ts';
import type { Resource } from '../resource.ts';
import type { ReflectorStore } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> extends Selection, Projection {
  readonly resource: Resource<T>;
  /** The version that the store is current with, from an earlier run: the watch goes on from there, without a list. */
  readonly initialResourceVersion?: string | undefined;
  /**
   * The kind may not be defined, or not yet: then there are none, and it is asked for again and again. Default false: the
   * store is not in sync before it is.
   */
  readonly mayBeUndefined?: boolean;
  /** Objects per request where the list is paged. Default 500. */
  readonly pageSize?: number;
  /** A longer list is an error, tried again and again. Default 100,000. */
  readonly maxObjects?: number;
  /** How long a streaming list may say nothing before the end of its objects, in milliseconds. Default 30,000. */
  readonly initialEventsIdleMs?: number;
  /**
   * When the server shall end a watch, in seconds: once to twice this long, at random. Long watches spare requests.
   * Default: the client's.
   */
  readonly watchTimeoutSeconds?: number | undefined;
  /**
   * Asked when a watch is opened, and at each bookmark: whether the server shall tell now and then how far it is. Without,
   * a link carries less while nothing changes, and a break after a long silence may cost a new list. Default: always.
   */
  readonly bookmarks?: (() => boolean) | undefined;
  /** Silence after which a watch with bookmarks is opened anew, in milliseconds. Default 180,000. */
  readonly watchIdleMs?: number;
  /** Bounds of the jittered delays after failures, in milliseconds. Default 500 to 30,000. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
}

export interface ReflectorDeps<T> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly store: ReflectorStore<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
  /** Told of each state that it moves to. Must not throw. */
  readonly onState?: (state: ReflectorState) => void;
}

export type ReflectorState =
  | { readonly kind: 'idle' }
  /** Getting the whole truth. */
  | { readonly kind: 'listing'; readonly how: 'stream' | 'paged' }
  /** Following changes; the store is current but for what is on its way. Not yet sure after a resume: see `synced`. */
  | { readonly kind: 'watching' }
  /** The store shows the past. */
  | { readonly kind: 'waiting'; readonly error: unknown }
  | { readonly kind: 'stopped' };

/** Keeps a store equal to what a list-watch of one resource says, as long as it runs. */
export interface Reflector extends Service {
  readonly state: ReflectorState;
  /**
   * True once this run has proved that the store holds what the server held at one moment of this run or shortly before
   * it, also while disconnected later: a list was taken, or a watch that resumed from `initialResourceVersion` delivered
   * its first event or bookmark. Bookmarks come every minute or so, so it may take that long where nothing changes,
   * and without bookmarks any time; a watch that was only accepted proves nothing.
   */
  readonly synced: boolean;
  /** The version that the store is current with. */
  readonly resourceVersion: string;
  whenSynced(signal: AbortSignal): Promise<void>;
}
