import { type CloudOptions, applyCloud, lookAtCloud, planCloud } from '../cloud/index.ts';
import type { Hosts } from '../host/index.ts';
import { convertWith } from './convert.ts';
import type { CloudWork } from './engine.ts';
import { createNodeWork } from './node-work.ts';
import type { ConvertDeps, ConvertOptions, ConvertResult } from './types.ts';

/** What stands beside an API server is not put back from within a Job that this API server runs. */
export function cloudFor(
  cloud: CloudOptions,
  { viaKubelet = false }: Pick<Hosts, 'viaKubelet'>,
): CloudOptions {
  return viaKubelet && cloud.mode === 'auto' ? { ...cloud, mode: 'deployment' } : cloud;
}

function createCloudWork(options: ConvertOptions, deps: ConvertDeps): CloudWork {
  const cloud = cloudFor(options.cloud, deps.hosts);
  return {
    async plan(edge) {
      const chosen = { ...cloud, edge };
      return planCloud(chosen, await lookAtCloud(chosen, deps));
    },
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
