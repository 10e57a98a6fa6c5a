import type { ExecutorDeps, Executors } from './executor.ts';
import { absentExecutor, editExecutor, fileExecutor, folderExecutor, treeExecutor } from './file-steps.ts';
import { copyExecutor, uploadExecutor } from './large-steps.ts';
import { leftoverExecutor, timesExecutor } from './trace-steps.ts';
import { awaitExecutor, reloadExecutor, restartExecutor, unitExecutor } from './unit-steps.ts';

export function createExecutors(deps: ExecutorDeps): Executors {
  return {
    folder: folderExecutor(deps),
    tree: treeExecutor(deps),
    file: fileExecutor(deps),
    edit: editExecutor(deps),
    upload: uploadExecutor(deps),
    copy: copyExecutor(deps),
    absent: absentExecutor(deps),
    times: timesExecutor(deps),
    reload: reloadExecutor(deps),
    unit: unitExecutor(deps),
    restart: restartExecutor(deps),
    await: awaitExecutor(deps),
    leftover: leftoverExecutor(deps),
  };
}
