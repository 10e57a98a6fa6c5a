import { SelvedgeError, isAbort } from './errors.ts';
import { aborted, scoped } from './scope.ts';

export interface TaskGroupOptions {
  readonly name: string;
  /** Default 10,000; one more is refused with `ResourceExhausted`. */
  readonly maxTasks?: number;
}

export interface TaskGroupDeps {
  /** Told of every task that ends with anything but an abort. */
  readonly onFailure: (error: unknown, task: string) => void;
}

/** The owner of promises that nobody awaits on the spot. */
export interface TaskGroup {
  readonly size: number;
  /** Aborts when the group stops. */
  readonly signal: AbortSignal;
  /** Runs `work` until it settles or the group stops. */
  run(task: string, work: (signal: AbortSignal) => Promise<void>): void;
  /** Resolves when no task is left. */
  idle(): Promise<void>;
  /** Aborts all tasks and waits for them. Idempotent. */
  stop(): Promise<void>;
}

export function createTaskGroup(options: TaskGroupOptions, deps: TaskGroupDeps): TaskGroup {
  const scope = scoped();
  const tasks = new Set<Promise<void>>();
  const max = options.maxTasks ?? 10_000;
  const idle = async (): Promise<void> => {
    while (tasks.size > 0) await Promise.all(tasks);
  };
  const guard = async (task: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await work(scope.signal);
    } catch (error) {
      if (!(scope.signal.aborted && isAbort(error, scope.signal))) deps.onFailure(error, task);
    }
  };
  return {
    get size() {
      return tasks.size;
    },
    signal: scope.signal,
    run(task, work) {
      if (scope.signal.aborted) return;
      if (tasks.size >= max) {
        throw new SelvedgeError(`${options.name} holds ${max} tasks already`, { code: 'ResourceExhausted' });
      }
      const running = guard(task, work).finally(() => tasks.delete(running));
      tasks.add(running);
    },
    idle,
    async stop() {
      scope.abort(aborted(options.name));
      await idle();
    },
  };
}
