import { SelvedgeError, createLimiter, createTaskGroup, jittered, scoped, withDeadline } from '@selvedge/kit';
import { type Host, type HostCommand, type HostResult, hostDefaults } from '../types.ts';
import { type ExecTarget, openExec } from './exec.ts';
import { jobOf, jobs } from './manifest.ts';
import { type JobDeps, type JobOptions, jobDefaults } from './options.ts';
import { type MadeJob, jobPod, removeJob } from './pod.ts';
import { runProgram } from './program.ts';
import { endArgv, stateFolder } from './scripts.ts';

const endEveryMs = 500;

/** Tells a program to end, as long as that takes: it may be that the node cannot be reached just now. */
async function endProgram(folder: string, target: ExecTarget, deps: JobDeps): Promise<void> {
  const { clock, random } = deps;
  const deadline = { what: `the end of ${folder}`, timeoutMs: jobDefaults.endTimeoutMs };
  await withDeadline(deadline, clock, async (signal) => {
    for (;;) {
      using exec = await openExec({ target, argv: endArgv(folder), onOutput: () => undefined }, deps, signal);
      if ((await exec.ended).kind === 'exited') return;
      await clock.sleep(jittered(endEveryMs, random), signal);
    }
  });
}

async function makeJob(
  node: string,
  { options, deps }: JobContext,
  signal = new AbortController().signal,
): Promise<MadeJob> {
  const { metadata } = await deps.cluster.create(jobs, jobOf(node, options), { signal });
  const { name, namespace } = metadata;
  if (name === undefined || namespace === undefined)
    throw new SelvedgeError('the Job that was made has no name', { code: 'Internal' });
  return { name, namespace, node };
}

interface JobContext {
  readonly options: JobOptions;
  readonly deps: JobDeps;
}

class JobHost implements Host {
  readonly name: string;
  readonly #job: MadeJob;
  readonly #target: ExecTarget;
  readonly #context: JobContext;
  readonly #gone = scoped();
  readonly #programs = createLimiter({ capacity: jobDefaults.maxPrograms });
  /** What was left and does not end goes with its Job: nobody can be told more. */
  readonly #ends = createTaskGroup({ name: 'programs that end' }, { onFailure: () => undefined });
  /** Folders of programs that ended. */
  readonly #done: string[] = [];
  #runs = 0;

  constructor(
    name: string,
    place: { readonly job: MadeJob; readonly target: ExecTarget },
    context: JobContext,
  ) {
    this.name = name;
    this.#job = place.job;
    this.#target = place.target;
    this.#context = context;
  }

  run: Host['run'] = async (command, caller) => {
    const timeoutMs = command.timeoutMs ?? hostDefaults.timeoutMs;
    using scope = scoped(caller, this.#gone.signal);
    scope.signal.throwIfAborted();
    const deadline = { what: command.argv[0], timeoutMs, signal: scope.signal };
    return await this.#programs.run(scope.signal, () =>
      withDeadline(deadline, this.#context.deps.clock, (within) => this.#follow(command, within)),
    );
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort(new SelvedgeError(`the Job on ${this.name} was removed`, { code: 'Unavailable' }));
    await this.#ends.idle();
    await removeJob(this.#job, this.#context.deps);
  }

  async #follow(command: HostCommand, signal: AbortSignal): Promise<HostResult> {
    const { options, deps } = this.#context;
    const { argv, stdin = '', maxOutputBytes: maxBytes = hostDefaults.maxOutputBytes } = command;
    this.#runs += 1;
    const run = { folder: `${stateFolder}/${this.#runs}`, argv, stdin: Buffer.from(stdin), maxBytes };
    const dialTimeoutMs = options.dialTimeoutMs ?? jobDefaults.dialTimeoutMs;
    const old = this.#done.splice(0);
    try {
      return await runProgram({ target: this.#target, run, old, dialTimeoutMs }, deps, signal);
    } finally {
      if (signal.aborted) this.#ends.run('end', () => endProgram(run.folder, this.#target, deps));
      else this.#done.push(run.folder);
    }
  }
}

/**
 * A machine that nobody can log in to: programs are run from a privileged pod on its node, over `exec`, in the namespaces of its
 * PID 1. Throws `Forbidden`; `Unavailable` if the pod does not start, after which nothing is left but what `onNote` was told of.
 */
export async function openJobHost(node: string, context: JobContext, signal?: AbortSignal): Promise<Host> {
  const job = await makeJob(node, context, signal);
  try {
    return new JobHost(node, { job, target: await jobPod(job, context, signal) }, context);
  } catch (error) {
    await removeJob(job, context.deps);
    throw error;
  }
}
