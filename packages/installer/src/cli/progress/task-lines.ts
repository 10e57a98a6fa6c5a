import { type Style, durationText, truncated, widthOf } from '../text/index.ts';
import type { TaskNode, TaskState } from './tasks.ts';

export interface TaskLinesOptions {
  readonly style: Style;
  readonly nowMs: number;
  /** Of the terminal. */
  readonly columns: number;
  /** How many lines there is room for. Default: any. */
  readonly rows?: number;
}

/** How long one picture of a running task stays. */
const frameMs = 100;

function symbolOf(state: TaskState, { style: { colors, symbols }, nowMs }: TaskLinesOptions): string {
  switch (state.kind) {
    case 'running': {
      const frame = Math.floor((nowMs - state.sinceMs) / frameMs) % symbols.running.length;
      return colors.cyan(symbols.running[frame] ?? '');
    }
    case 'done':
      return colors.green(symbols.done);
    case 'failed':
      return colors.red(symbols.failed);
    case 'stopped':
      return colors.yellow(symbols.stopped);
  }
}

/** One line that the terminal does not break: the title first, then the time, then, in what is left, the note. */
function lineOf({ title, state }: TaskNode, depth: number, options: TaskLinesOptions): string {
  const { colors } = options.style;
  const elapsedMs = state.kind === 'running' ? options.nowMs - state.sinceMs : state.durationMs;
  const time = `  ${durationText(elapsedMs)}`;
  // One column is left free: some terminals break a line when it is full.
  const room = options.columns - 1 - (2 * depth + 2);
  const shown = truncated(title, Math.max(1, room - widthOf(time)));
  const left = room - widthOf(shown) - widthOf(time);
  const note = state.note === undefined || left < 8 ? '' : truncated(`  ${state.note}`, left);
  return `${'  '.repeat(depth)}${symbolOf(state, options)} ${shown}${colors.dim(time)}${colors.dim(note)}`;
}

interface Look {
  /** Shows what is done within a task that runs. */
  readonly withDone: boolean;
}

/** A task that went well is one line; one that runs, or failed, shows what is in it. */
function linesOf(node: TaskNode, depth: number, options: TaskLinesOptions & Look): readonly string[] {
  const isOpen = node.state.kind !== 'done';
  const shown = node.children.filter(({ state }) => options.withDone || state.kind !== 'done');
  const below = isOpen ? shown.flatMap((child) => linesOf(child, depth + 1, options)) : [];
  return [lineOf(node, depth, options), ...below];
}

/** The tasks as lines, each no wider than the terminal and not more than it has. Pure. */
export function taskLines(nodes: readonly TaskNode[], options: TaskLinesOptions): readonly string[] {
  const rows = Math.max(1, options.rows ?? Number.POSITIVE_INFINITY);
  const all = nodes.flatMap((node) => linesOf(node, 0, { ...options, withDone: true }));
  if (all.length <= rows) return all;
  const open = nodes.flatMap((node) => linesOf(node, 0, { ...options, withDone: false }));
  if (open.length <= rows) return open;
  const hidden = open.length - rows + 1;
  const more = truncated(`${hidden} more lines`, options.columns - 1);
  return [...open.slice(0, rows - 1), options.style.colors.dim(more)];
}
