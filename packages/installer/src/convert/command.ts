import { applyCloud, lookAtCloud, planCloud } from '../cloud/index.ts';
import { type CloudWork, convertWith } from './convert.ts';
import { createNodeWork } from './node-work.ts';
import type { ConvertDeps, ConvertOptions, ConvertResult } from './types.ts';

function createCloudWork({ cloud }: ConvertOptions, deps: ConvertDeps): CloudWork {
  return {
    plan: async () => planCloud(cloud, await lookAtCloud(cloud, deps)),
    apply: (plan, progress) => applyCloud(plan, { ...deps, progress }),
  };
}

/**
 * Makes edge nodes of nodes, and of their cluster one that has such. Throws `Invalid` for a wrong choice, `Conflict` with
 * `details.findings` if a node is refused, and the signal's reason: then the same command goes on where it was.
 */
export function convert(options: ConvertOptions, deps: ConvertDeps): Promise<ConvertResult> {
  return convertWith(options, {
    ...deps,
    cloud: createCloudWork(options, deps),
    nodes: createNodeWork(options, deps),
  });
}
