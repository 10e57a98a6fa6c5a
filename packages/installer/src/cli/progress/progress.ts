import { type Clock, isAbort, redact } from '@selvedge/kit';
import type { Progress } from '../../command/index.ts';
import { printable } from '../text/index.ts';
import type { Reporter, TaskChange, TaskRef } from './events.ts';

const clean = (text: string): string => redact(printable(text));

/** What a command tells, told to a reporter: without secrets, and in lines that do nothing to a terminal. */
export function createProgress(reporter: Reporter, clock: Pick<Clock, 'monotonicMs'>): Progress {
  let made = 0;
  const newTask = (title: string, parent: TaskRef | undefined): TaskRef => {
    made += 1;
    if (parent === undefined) return { id: made, path: [title] };
    return { id: made, parent: parent.id, path: [...parent.path, title] };
  };
  const within = (parent?: TaskRef): Progress => ({
    async task(title, work) {
      const task = newTask(clean(title), parent);
      const startedMs = clock.monotonicMs();
      const tell = (change: TaskChange): void => reporter.tell({ kind: 'task', task, change });
      const tellEnd = (kind: 'done' | 'failed' | 'stopped'): void =>
        tell({ kind, durationMs: clock.monotonicMs() - startedMs });
      tell({ kind: 'started' });
      try {
        const result = await work(within(task));
        tellEnd('done');
        return result;
      } catch (error) {
        tellEnd(isAbort(error) ? 'stopped' : 'failed');
        throw error;
      }
    },
    note(text) {
      const told = clean(text);
      if (parent === undefined) reporter.tell({ kind: 'said', text: told });
      else reporter.tell({ kind: 'task', task: parent, change: { kind: 'noted', text: told } });
    },
  });
  return within();
}
