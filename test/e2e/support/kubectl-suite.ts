import { itShowsLogs } from './kubectl-logs.ts';
import { itForwards, itIsProxied } from './kubectl-network.ts';
import { itRunsPrograms } from './kubectl-exec.ts';
import type { KubectlPrograms } from './programs.ts';
import type { TunnelBed } from './tunnel-bed.ts';

/** A node with its tools, and who looks at it. */
export interface KubectlSuite {
  readonly here: TunnelBed;
  readonly kubectl: KubectlPrograms;
  readonly node: string;
  /** What goes through a command's input, and through its output. */
  readonly pipedBytes: number;
  /** How long a connection is used through `port-forward`. */
  readonly trafficMs: number;
}

/** The tests of a node that people do everything with that kubectl has for pods and nodes. */
export function itServesKubectl(suite: KubectlSuite): void {
  itShowsLogs(suite);
  itRunsPrograms(suite);
  itForwards(suite);
  itIsProxied(suite);
}
