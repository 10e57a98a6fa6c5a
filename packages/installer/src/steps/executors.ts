import type { ExecutorDeps, Executors } from './executor.ts';
import { absentExecutor, fileExecutor, folderExecutor } from './file-steps.ts';
import { reloadExecutor, restartExecutor, unitExecutor } from './unit-steps.ts';

export function createExecutors(deps: ExecutorDeps): Executors {
  return {
    folder: folderExecutor(deps),
    file: fileExecutor(deps),
    absent: absentExecutor(deps),
    reload: reloadExecutor(deps),
    unit: unitExecutor(deps),
    restart: restartExecutor(deps),
  };
}
