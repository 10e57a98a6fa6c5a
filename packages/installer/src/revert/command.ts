import { lookAtCloudUndo, planCloudUndo, undoCloud } from '../cloud/index.ts';
import { revertWith } from './revert.ts';
import type { RevertDeps, RevertOptions, RevertResult } from './types.ts';

/**
 * Takes back what `convert` did. Throws `Invalid` for a wrong choice, `Conflict` if nodes are there that need the cloud's part,
 * `Unavailable` if the cloud is and nobody said where the machines are, `Unsupported` for what Jobs cannot take back, and the signal's reason: then the same command goes on
 * where it was.
 */
export function revert(options: RevertOptions, deps: RevertDeps): Promise<RevertResult> {
  const { keepData = false } = options;
  return revertWith(options, {
    ...deps,
    cloud: {
      plan: async () => planCloudUndo({ keepData }, await lookAtCloudUndo(deps)),
      undo: (plan, progress) =>
        undoCloud(plan, { ...deps, progress, onKept: (text) => deps.progress.note(text) }),
    },
  });
}
