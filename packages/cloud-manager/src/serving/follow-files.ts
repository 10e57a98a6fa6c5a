import { type Clock, type Logger, type Random, type Service, createTaskGroup, jittered } from '@selvedge/kit';

export interface FollowFilesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** As the components of Kubernetes look at theirs. */
const checkEveryMs = 60_000;

/** Looks at files at the start, which rejects as that look does, and every minute from then on. */
export function followFiles(
  name: string,
  look: (signal: AbortSignal) => Promise<void>,
  { clock, random, log }: FollowFilesDeps,
): Service {
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error) => log.error('watching files failed', { error }) },
  );
  return {
    name,
    async start(signal) {
      await look(signal);
      tasks.run('look', async (inner) => {
        for (;;) {
          await clock.sleep(jittered(checkEveryMs, random), inner);
          await look(inner);
        }
      });
    },
    stop: () => tasks.stop(),
  };
}
