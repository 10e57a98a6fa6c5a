import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createTaskGroup,
  hasCode,
  jittered,
  limitRepeats,
  withDeadline,
} from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { type ServerLeaseOptions, serverLease, serverLeaseRef } from './server-lease.ts';

export interface PresenceDeps {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace' | 'delete'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const callMs = 5_000;

/**
 * Keeps this server's Lease, by which the others know that it is alive: made at the start, renewed in a quarter of its
 * duration, deleted at the end.
 */
export function createPresence(options: ServerLeaseOptions, deps: PresenceDeps): Service {
  const name = 'server lease';
  const { client, clock, random } = deps;
  const log = limitRepeats({ windowMs: 60_000 }, deps);
  const ref = serverLeaseRef(options.namespace, options.server);
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error) => log.error('server lease failed', { error }) },
  );
  /** As it was when it was written last; undefined: to be read before it is written. */
  let held: Lease | undefined;
  let isMade = false;
  const write = async (signal: AbortSignal): Promise<Lease> => {
    held ??= await ifFound(client.get(resources.leases, ref, { signal }));
    const next = serverLease(options, clock.now(), held);
    return held === undefined
      ? client.create(resources.leases, next, { signal })
      : client.replace(resources.leases, next, { signal });
  };
  const renew = async (signal: AbortSignal): Promise<void> => {
    try {
      held = await withDeadline(
        { what: 'renewing the server lease', timeoutMs: callMs, signal },
        clock,
        write,
      );
      isMade = true;
    } catch (error) {
      signal.throwIfAborted();
      // Read it again: somebody else may have written or deleted it.
      held = undefined;
      log.warn('server lease not renewed', { error });
    }
  };
  return {
    name,
    async start(signal) {
      await renew(signal);
      tasks.run('renew', async (inner) => {
        for (;;) {
          await clock.sleep(jittered(options.durationSeconds * 250, random), inner);
          await renew(inner);
        }
      });
    },
    async stop() {
      await tasks.stop();
      if (!isMade) return;
      isMade = false;
      const within = { what: 'deleting the server lease', timeoutMs: callMs };
      await withDeadline(within, clock, (signal) => client.delete(resources.leases, ref, { signal })).catch(
        (error: unknown) => {
          if (!hasCode(error, 'NotFound')) log.warn('server lease not deleted, it will expire', { error });
        },
      );
    },
  };
}
