import type { TaskChange, TaskRef } from './events.ts';

/** How a task is just now. */
export type TaskState =
  | { readonly kind: 'running'; readonly sinceMs: number; readonly note?: string }
  | { readonly kind: 'done' | 'failed' | 'stopped'; readonly durationMs: number; readonly note?: string };

export interface TaskNode {
  readonly title: string;
  readonly state: TaskState;
  readonly children: readonly TaskNode[];
}

interface Entry {
  readonly title: string;
  state: TaskState;
  readonly children: Entry[];
}

/** The tasks of a command as they are shown: in the order in which they began. */
export interface TaskList {
  readonly roots: readonly TaskNode[];
  tell(task: TaskRef, change: TaskChange, nowMs: number): void;
  /** Takes away those at the front that ended, for good, with all in them. */
  takeEnded(): readonly TaskNode[];
}

function nextState(state: TaskState, change: Exclude<TaskChange, { kind: 'started' }>): TaskState {
  if (change.kind === 'noted') return { ...state, note: change.text };
  // What it did last tells why it failed, and is of no interest if it did not.
  const note = change.kind === 'done' || state.note === undefined ? {} : { note: state.note };
  return { ...change, ...note };
}

export function createTaskList(): TaskList {
  const roots: Entry[] = [];
  const entries = new Map<number, Entry>();
  return {
    roots,
    tell({ id, parent, path }, change, nowMs) {
      if (change.kind === 'started') {
        const entry: Entry = {
          title: path.at(-1) ?? '',
          state: { kind: 'running', sinceMs: nowMs },
          children: [],
        };
        entries.set(id, entry);
        (parent === undefined ? roots : entries.get(parent)?.children)?.push(entry);
        return;
      }
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.state = nextState(entry.state, change);
      if (entry.state.kind !== 'running') entries.delete(id);
    },
    takeEnded() {
      const first = roots.findIndex(({ state }) => state.kind === 'running');
      return roots.splice(0, first < 0 ? roots.length : first);
    },
  };
}
