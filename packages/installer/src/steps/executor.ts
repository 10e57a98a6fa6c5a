import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { HostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import type { Before, Step } from './types.ts';

/**
 * Does one kind of step. `apply` and `undo` may be called again after a run that was interrupted in the middle of them,
 * and end the same.
 */
export interface Executor<S extends Step> {
  /** What is there before the step. Throws `Conflict` if the step cannot be done, or not be taken back. */
  look(step: S, signal: AbortSignal): Promise<Before>;
  apply(step: S, before: Before, signal: AbortSignal): Promise<void>;
  /** Throws `Conflict` if somebody changed since what the step made: it is not lost for that. */
  undo(step: S, before: Before, signal: AbortSignal): Promise<void>;
}

export interface ExecutorDeps {
  readonly host: Host;
  readonly files: HostFiles;
  /** Of the run: names of kept files bear it. */
  readonly run: string;
  readonly clock: Clock;
  /** What `upload` steps name: the whole content. */
  readonly sources: Sources;
  /** Told, on the way back, of what stays as somebody else made it since. */
  readonly onNote?: ((text: string) => void) | undefined;
}

export type Sources = (name: string, signal: AbortSignal) => Promise<Uint8Array>;

/** For steps that send nothing, and for the way back. */
export const noSources: Sources = (name) =>
  Promise.reject(new SelvedgeError(`nothing is uploaded here: ${name}`, { code: 'Internal' }));

export type Executors = { readonly [K in Step['kind']]: Executor<Extract<Step, { kind: K }>> };
