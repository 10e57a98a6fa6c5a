import type { ExecutorDeps, Executors } from './executor.ts';
import { editExecutor } from './edit-step.ts';
import { fileExecutor, folderExecutor, treeExecutor } from './file-steps.ts';
import { copyExecutor, uploadExecutor } from './large-steps.ts';
import { imagesExecutor, podsExecutor, secretExecutor, sysctlExecutor } from './lite-steps.ts';
import { packagesExecutor } from './packages-step.ts';
import { rulesExecutor } from './rules-step.ts';
import { leftoverExecutor, timesExecutor } from './trace-steps.ts';
import { userExecutor } from './user-step.ts';
import { awaitExecutor, reloadExecutor, restartExecutor, unitExecutor } from './unit-steps.ts';

/** One executor for each kind of step, for one machine and one run. */
export function createExecutors(deps: ExecutorDeps): Executors {
  return {
    folder: folderExecutor(deps),
    tree: treeExecutor(deps),
    file: fileExecutor(deps),
    edit: editExecutor(deps),
    upload: uploadExecutor(deps),
    copy: copyExecutor(deps),
    times: timesExecutor(deps),
    reload: reloadExecutor(deps),
    unit: unitExecutor(deps),
    restart: restartExecutor(deps),
    await: awaitExecutor(deps),
    leftover: leftoverExecutor(deps),
    user: userExecutor(deps),
    packages: packagesExecutor(deps),
    sysctl: sysctlExecutor(deps),
    secret: secretExecutor(deps),
    pods: podsExecutor(deps),
    images: imagesExecutor(deps),
    rules: rulesExecutor(deps),
  };
}
