import { itShowsLogs } from './kubectl-logs.ts';
import { itForwards, itIsProxied } from './kubectl-network.ts';
import { itRunsPrograms } from './kubectl-exec.ts';
import type { KubectlNode } from './kubectl-node.ts';

/** The tests of a node that people do everything with that kubectl has for pods and nodes. */
export function itServesKubectl(node: KubectlNode): void {
  itShowsLogs(node);
  itRunsPrograms(node);
  itForwards(node);
  itIsProxied(node);
}
