import { SelvedgeError } from './errors.ts';
import type { Logger } from './log.ts';

interface Tagged {
  readonly kind: string;
}

export interface StateMachineOptions<S extends Tagged> {
  readonly name: string;
  readonly initial: S;
  /** For each kind, the kinds it may move to. */
  readonly moves: { readonly [K in S['kind']]: readonly S['kind'][] };
}

/** One tagged union with one door. */
export interface StateMachine<S extends Tagged> {
  readonly current: S;
  /** Moves, or throws `Internal` when the table forbids it. Logged from → to. */
  move(next: S): void;
}

export function createStateMachine<S extends Tagged>(
  options: StateMachineOptions<S>,
  deps: { readonly log: Logger; readonly onMove?: (from: S, to: S) => void },
): StateMachine<S> {
  let current = options.initial;
  return {
    get current() {
      return current;
    },
    move(next) {
      const from = current;
      const allowed: readonly string[] = options.moves[from.kind as S['kind']];
      if (!allowed.includes(next.kind)) {
        const message = `${options.name} cannot move from ${from.kind} to ${next.kind}`;
        throw new SelvedgeError(message, { code: 'Internal' });
      }
      current = next;
      deps.log.info('state changed', { machine: options.name, from: from.kind, to: next.kind });
      deps.onMove?.(from, next);
    },
  };
}
