import { managerNamespace } from '@selvedge/api';
import type { Clock } from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Namespace } from '@selvedge/kube/types';
import type { Progress } from '../command/index.ts';
import { isSo, poll } from '../waiting/index.ts';
import { type CloudTimeouts, cloudTimeouts } from './types.ts';

interface WaitDeps {
  readonly cluster: Pick<KubeClient, 'get'>;
  readonly clock: Clock;
  readonly progress: Pick<Progress, 'note'>;
  readonly signal: AbortSignal;
  readonly timeouts?: CloudTimeouts | undefined;
}

/** What keeps it, as the controller of namespaces says. Source: core/v1 NamespaceCondition. */
const keptBy = (old: Namespace | undefined): readonly string[] =>
  (old?.status?.conditions ?? []).flatMap((one) =>
    one.status === 'True' && one.message !== undefined ? [one.message] : [],
  );

/**
 * Waits, and says so, until the namespace of an earlier installation that is being deleted is gone: nothing is made in it any
 * more, and what is still in it goes with it. Throws `DeadlineExceeded` with what keeps it.
 */
export async function awaitOldNamespace(deps: WaitDeps): Promise<void> {
  const { cluster, progress, signal, timeouts = cloudTimeouts } = deps;
  const look = async (): Promise<Namespace | undefined> => {
    const found = await ifFound(cluster.get(resources.namespaces, { name: managerNamespace }, { signal }));
    return found?.metadata.deletionTimestamp === undefined ? undefined : found;
  };
  // A cluster that does not answer at all is not waited for.
  if ((await look()) === undefined) return;
  const waiting = {
    what: `the deletion of the old Namespace ${managerNamespace}`,
    timeoutMs: timeouts.takenBackMs,
    hint: `see what keeps it with kubectl get namespace ${managerNamespace} -o yaml`,
    onPending: (why: string) =>
      progress.note(`waiting until the old Namespace ${managerNamespace} is gone: ${why}`),
  };
  await poll(waiting, deps, async () => {
    const old = await look();
    return isSo(old === undefined, ['it is being deleted', ...keptBy(old)].join('; '));
  });
}
