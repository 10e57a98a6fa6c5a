import type { Clock, Limiter, Logger } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import type { PodObserved, RuntimeCalls } from '../../runtime/index.ts';
import type { PodCgroups } from '../cgroups/index.ts';
import type { Images } from '../images/index.ts';
import type { PodEvents } from '../ports.ts';
import type { Waiting } from '../status/index.ts';
import type { VolumeManager } from '../volumes/index.ts';
import type { Hooks, PodBuilder, PodLogs } from './ports.ts';

export interface ApplyDeps {
  readonly runtime: RuntimeCalls;
  readonly volumes: Pick<VolumeManager, 'prepare' | 'remove'>;
  readonly cgroups: Pick<PodCgroups, 'ensure' | 'remove'>;
  readonly builder: PodBuilder;
  readonly images: Images;
  readonly hooks: Hooks;
  readonly logs: PodLogs;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bounds how many sandboxes and containers are made at a time. */
  readonly starts: Limiter;
}

/** The pod that a step is for, as it was when the plan was made. */
export interface StepContext {
  readonly pod: Pod;
  readonly observed: PodObserved;
  /** The pod's addresses, or the node's with the host's network. */
  readonly podIPs: readonly string[];
  /** How many rounds before this one failed in a row. */
  readonly failures: number;
  /** The work ends. */
  readonly signal: AbortSignal;
  /** The work ends, or the plan is out of date so that waiting for it makes no sense. */
  readonly interrupt: AbortSignal;
}

export type StepResult =
  | { readonly kind: 'done' }
  /** A container could not be started; its status says why. */
  | {
      readonly kind: 'waiting';
      readonly waiting: Waiting;
      /** When to try again, by the monotonic clock. */
      readonly retryAtMs?: number;
    }
  | { readonly kind: 'failed'; readonly error: unknown };

export const done: StepResult = { kind: 'done' };
