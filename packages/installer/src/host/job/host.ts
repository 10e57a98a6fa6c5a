import { SelvedgeError, createBackoff, createTaskGroup, hasCode, scoped, withDeadline } from '@selvedge/kit';
import type { Host, HostCommand, HostResult } from '../types.ts';
import { hostDefaults } from '../types.ts';
import { type ExecTarget, openExec } from './exec.ts';
import { jobOf, jobs } from './manifest.ts';
import { type JobDeps, type JobOptions, jobDefaults } from './options.ts';
import { jobPod, removeJob, type MadeJob } from './pod.ts';
import { runProgram } from './program.ts';
import { endArgv } from './scripts.ts';

const mayDialAgain = (error: unknown): boolean =>
  hasCode(error, 'Unavailable') && error.details['unsent'] === true;

/** Tries again while the way to the node is not there: a kubelet that restarts takes seconds. */
async function dialling<T>(
  deps: JobDeps,
  { forMs, signal }: { readonly forMs: number; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const { clock } = deps;
  const backoff = createBackoff({ initialMs: 250, maxMs: 4_000, resetAfterMs: forMs }, deps);
  const until = clock.monotonicMs() + forMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayDialAgain(error) || clock.monotonicMs() >= until) throw error;
      await clock.sleep(backoff.nextDelayMs(), signal);
    }
  }
}

async function endProgram(pid: string, target: ExecTarget, deps: JobDeps): Promise<void> {
  const deadline = { what: `the end of process ${pid}`, timeoutMs: jobDefaults.endTimeoutMs };
  await withDeadline(deadline, deps.clock, async (signal) => {
    using exec = await openExec({ target, argv: endArgv(pid), onOutput: () => undefined }, deps, signal);
    await exec.ended;
  });
}

async function makeJob(
  node: string,
  options: JobOptions,
  within: JobDeps & { signal?: AbortSignal | undefined },
): Promise<MadeJob> {
  const { cluster, signal = scoped().signal } = within;
  const { metadata } = await cluster.create(jobs, jobOf(node, options), { signal });
  const { name, namespace } = metadata;
  if (name === undefined || namespace === undefined)
    throw new SelvedgeError('the Job that was made has no name', { code: 'Internal' });
  return { name, namespace };
}

function hostOf(
  node: string,
  target: ExecTarget,
  { job, options, deps }: { job: MadeJob; options: JobOptions; deps: JobDeps },
): Host {
  const { clock } = deps;
  // What was left goes on for as long as its Job does: nobody can be told more.
  const tasks = createTaskGroup({ name: `programs on ${node}` }, { onFailure: () => undefined });
  const gone = scoped();
  const onLeft = (pid: string): void => tasks.run('end', () => endProgram(pid, target, deps));
  const attempts = (command: HostCommand, signal: AbortSignal): Promise<HostResult> =>
    dialling(deps, { forMs: options.dialTimeoutMs ?? jobDefaults.dialTimeoutMs, signal }, () =>
      runProgram({ target, command }, { ...deps, onLeft }, signal),
    );
  return {
    name: node,
    async run(command, caller) {
      const timeoutMs = command.timeoutMs ?? hostDefaults.timeoutMs;
      using scope = scoped(caller, gone.signal);
      const deadline = { what: command.argv[0], timeoutMs, signal: scope.signal };
      return await withDeadline(deadline, clock, (within) => attempts(command, within));
    },
    async [Symbol.asyncDispose]() {
      gone.abort(new SelvedgeError(`the Job on ${node} was removed`, { code: 'Unavailable' }));
      await tasks.idle();
      // It goes by itself when its time is up.
      await removeJob(job, deps).catch(() => undefined);
    },
  };
}

/**
 * A machine that nobody can log in to: programs are run from a privileged pod on its node, over `exec`, in the namespaces of its
 * PID 1. Throws `Forbidden`; `Unavailable` if the pod does not start, after which nothing is left.
 */
export async function openJobHost(
  node: string,
  { options, deps }: { readonly options: JobOptions; readonly deps: JobDeps },
  signal?: AbortSignal,
): Promise<Host> {
  const job = await makeJob(node, options, { ...deps, signal });
  try {
    const target = await jobPod(job, { options, deps }, signal);
    return hostOf(node, target, { job, options, deps });
  } catch (error) {
    await removeJob(job, deps).catch(() => undefined);
    throw error;
  }
}
