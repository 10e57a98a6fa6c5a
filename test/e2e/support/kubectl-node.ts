import type { KubectlPrograms } from './programs.ts';
import type { TunnelBed } from './tunnel-bed.ts';

/** A node with its tools, and who looks at it. */
export interface KubectlNode {
  readonly here: TunnelBed;
  readonly kubectl: KubectlPrograms;
  readonly node: string;
  /** What goes through a command's input, and through its output. */
  readonly pipedBytes: number;
  /** How long a connection is used through `port-forward`. */
  readonly trafficMs: number;
}
