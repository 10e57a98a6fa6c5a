import { type StateMachine, createStateMachine, silentLogger } from '@selvedge/kit';
import type { Restarts } from '../cluster/index.ts';
import type { NodeDurations } from './types.ts';

/** Where a node is on its way. */
export type NodeState =
  | { readonly kind: 'planned' }
  | { readonly kind: 'applying' }
  | { readonly kind: 'verifying' }
  | { readonly kind: 'converted'; readonly durations: NodeDurations; readonly containers: Restarts }
  | { readonly kind: 'putting-back'; readonly cause: unknown }
  | { readonly kind: 'put-back'; readonly cause: unknown; readonly totalMs: number }
  | { readonly kind: 'failed'; readonly cause: unknown };

const words: Readonly<Record<NodeState['kind'], string>> = {
  planned: 'waits',
  applying: 'is changed',
  verifying: 'is looked at from the cloud',
  converted: 'is an edge node',
  'putting-back': 'is put back',
  'put-back': 'is as it was',
  failed: 'could not be put back',
};

/** `onMove` is told in words. */
export function createNodeState(onMove: (words: string) => void): StateMachine<NodeState> {
  return createStateMachine<NodeState>(
    {
      name: 'conversion of a node',
      initial: { kind: 'planned' },
      moves: {
        planned: ['applying', 'put-back', 'failed'],
        applying: ['verifying', 'putting-back'],
        verifying: ['converted', 'putting-back'],
        converted: [],
        'putting-back': ['put-back', 'failed'],
        'put-back': [],
        failed: [],
      },
    },
    { log: silentLogger, onMove: (_from, to) => onMove(words[to.kind]) },
  );
}
