import { type StateMachine, createStateMachine, silentLogger } from '@selvedge/kit';
import type { Restarts } from '../cluster/index.ts';
import type { NodeDurations } from './types.ts';

/** Where a node is on its way. */
export type NodeState =
  | { readonly kind: 'planned' }
  /** Another run had made it an edge node. */
  | { readonly kind: 'unchanged' }
  /** It could not be entered, or is another run's: nothing was done. */
  | { readonly kind: 'left'; readonly cause: unknown }
  /** What is sent before anything of Kubernetes changes. */
  | { readonly kind: 'uploading' }
  /** It went no further: what was sent stays, and the next run goes on there. */
  | { readonly kind: 'interrupted'; readonly cause: unknown }
  | { readonly kind: 'applying' }
  | { readonly kind: 'verifying' }
  | { readonly kind: 'converted'; readonly durations: NodeDurations; readonly containers: Restarts }
  | { readonly kind: 'rolling-back'; readonly cause: unknown }
  | { readonly kind: 'rolled-back'; readonly cause: unknown; readonly totalMs: number }
  | { readonly kind: 'failed'; readonly cause: unknown };

const words: Readonly<Record<NodeState['kind'], string>> = {
  planned: 'waiting',
  unchanged: 'already an edge node',
  left: 'not started',
  uploading: 'uploading',
  interrupted: 'upload interrupted',
  applying: 'applying changes',
  verifying: 'verifying from the cloud',
  converted: 'edge node',
  'rolling-back': 'rolling back',
  'rolled-back': 'rolled back',
  failed: 'rollback failed',
};

const ends: readonly NodeState['kind'][] = [
  'unchanged',
  'left',
  'interrupted',
  'converted',
  'rolled-back',
  'failed',
];

export const isEnd = ({ kind }: NodeState): boolean => ends.includes(kind);

/** `onMove` is told in words. */
export function createNodeState(onMove: (words: string) => void): StateMachine<NodeState> {
  return createStateMachine<NodeState>(
    {
      name: 'conversion of a node',
      initial: { kind: 'planned' },
      moves: {
        planned: ['unchanged', 'left', 'applying', 'failed'],
        unchanged: [],
        left: [],
        uploading: ['applying', 'interrupted', 'rolling-back'],
        interrupted: [],
        applying: ['uploading', 'verifying', 'rolling-back'],
        verifying: ['converted', 'rolling-back'],
        converted: [],
        'rolling-back': ['rolled-back', 'unchanged', 'failed'],
        'rolled-back': [],
        failed: [],
      },
    },
    { log: silentLogger, onMove: (_from, to) => onMove(words[to.kind]) },
  );
}
