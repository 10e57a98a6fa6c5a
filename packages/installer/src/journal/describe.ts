import type { RunState, StepProgress } from './records.ts';

const words: Readonly<Record<StepProgress['kind'], string>> = {
  todo: 'not started',
  doing: 'started',
  done: 'done',
  undoing: 'being undone',
  undone: 'undone',
};

/** Where a run is, in one line: `run 7f3c of "selvedge convert": 5 steps done, 1 started, 9 not started`. */
export function describeRun(state: RunState): string {
  if (state.kind === 'none') return 'empty';
  const counts = Object.entries(words).flatMap(([kind, word]) => {
    const count = state.steps.filter(({ progress }) => progress.kind === kind).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return `run ${state.run} of "${state.command}", steps: ${counts.join(', ')}`;
}
