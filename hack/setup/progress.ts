import { type Clock, createTaskGroup } from '@selvedge/kit';

export interface Step {
  /** What is done, for people: `build kubelet`. */
  readonly title: string;
  /** About how long it takes on two cores, in milliseconds. Shown when it is more than a few seconds. */
  readonly estimateMs?: number;
}

/** Tells people what is going on. Silent as long as nothing is to be done. */
export interface Progress {
  /** Runs `work` between a line that it starts and a line that it is done or failed. */
  step<T>(step: Step, work: () => Promise<T>): Promise<T>;
  note(text: string): void;
}

export interface ProgressOptions {
  /** How often a step that is still running says so, in milliseconds. Default 20 s. */
  readonly stillRunningMs?: number;
}

export interface ProgressDeps {
  readonly clock: Clock;
  /** Receives one line without its newline. */
  readonly write: (line: string) => void;
}

/** `45 s`, `5 min`, `5 min 40 s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const rest = seconds % 60;
  const minutes = `${Math.floor(seconds / 60)} min`;
  return rest === 0 || seconds > 600 ? minutes : `${minutes} ${rest} s`;
}

const worthTellingMs = 3_000;

/** Plain lines, so that they read the same on a terminal, in a file and between the lines of other programs. */
export function createProgress(options: ProgressOptions, deps: ProgressDeps): Progress {
  const { clock, write } = deps;
  const everyMs = options.stillRunningMs ?? 20_000;
  const remind = async (step: Step, started: number, signal: AbortSignal): Promise<void> => {
    const of = step.estimateMs === undefined ? '' : ` of about ${duration(step.estimateMs)}`;
    for (;;) {
      await clock.sleep(everyMs, signal);
      write(`… ${step.title}: ${duration(clock.monotonicMs() - started)}${of}`);
    }
  };
  return {
    note: write,
    async step(step, work) {
      const started = clock.monotonicMs();
      const long = (step.estimateMs ?? 0) > worthTellingMs;
      write(`→ ${step.title}${long ? `, about ${duration(step.estimateMs ?? 0)}` : ''}`);
      const reminders = createTaskGroup({ name: 'progress' }, { onFailure: () => undefined });
      reminders.run(step.title, (signal) => remind(step, started, signal));
      let outcome = '✗';
      try {
        const result = await work();
        outcome = '✓';
        return result;
      } finally {
        await reminders.stop();
        write(`${outcome} ${step.title} (${duration(clock.monotonicMs() - started)})`);
      }
    },
  };
}

/** For callers who want no words. */
export const silentProgress: Progress = { note: () => undefined, step: (_step, work) => work() };
