import type { MaxUnavailable } from './max-unavailable.ts';
import type { NodeChoice } from './select.ts';

/** What becomes of the other nodes when one fails: `stop`: none is begun after it. `continue`: they go on. */
export type OnFailure = 'stop' | 'continue';

/** How a person wants nodes to be worked on. */
export interface WaveOptions extends NodeChoice {
  /** Nodes of one unit that are worked on at a time; units follow each other. Default one. */
  readonly maxUnavailable?: MaxUnavailable | undefined;
  /** Its default is the command's. */
  readonly onFailure?: OnFailure;
  /** For one node, in milliseconds; what is uploaded before is not counted. Default 300,000. */
  readonly timeoutMs?: number;
}

export const waveDefaults = {
  maxUnavailable: { kind: 'count', count: 1 },
  timeoutMs: 300_000,
} as const satisfies WaveOptions;

/** For people, where a node took longer. */
export const timeoutHint = 'if it is only slow, give each node more time with --timeout';
