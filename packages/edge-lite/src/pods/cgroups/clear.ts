import { join } from 'node:path';
import { type CgroupFacts, qosCgroup } from '../spec/index.ts';
import { type RemoveCgroup, removeTree } from './files.ts';
import { hierarchiesV1, hierarchyV2 } from './hierarchy.ts';

export interface ClearCgroupsDeps {
  readonly removeCgroup: RemoveCgroup;
  /** Runs a program to its end; rejects if it fails. */
  readonly exec: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<void>;
}

/** Removes the cgroup of all pods, in which nothing runs any more. */
export async function clearPodCgroups(
  facts: CgroupFacts,
  deps: ClearCgroupsDeps,
  signal: AbortSignal,
): Promise<void> {
  const cgroup = qosCgroup('Guaranteed', facts);
  if (facts.driver === 'systemd') {
    // It keeps slices that nothing is in any more; those below this one go with it.
    await deps.exec(['systemctl', 'stop', cgroup.split('/').at(-1) ?? ''], signal);
    return;
  }
  const mount = '/sys/fs/cgroup';
  const hierarchies = facts.version === 1 ? await hierarchiesV1(mount) : [await hierarchyV2(mount)];
  for (const { path } of hierarchies) await removeTree(join(path, cgroup), deps.removeCgroup);
}
