import { describe, expect, it } from 'vitest';
import type { JournalRecord } from './records.ts';
import { replay } from './replay.ts';

const begun: JournalRecord = {
  kind: 'begun',
  run: 'r1',
  command: 'convert',
  version: '1',
  at: '2026-01-01T00:00:00Z',
  steps: [{ kind: 'reload' }, { kind: 'reload' }],
};
const before = { kind: 'nothing' } as const;
const doing = (step: number): JournalRecord => ({ kind: 'doing', step, before });
const did = (step: number): JournalRecord => ({ kind: 'did', step });

function progress(...records: readonly JournalRecord[]): readonly string[] {
  const state = replay([begun, ...records]);
  return state.kind === 'none' ? [] : state.steps.map((one) => one.progress.kind);
}

describe('what a journal tells', () => {
  it('is nothing before a run', () => {
    expect(replay([])).toEqual({ kind: 'none' });
  });

  it('is how far each step is', () => {
    expect(progress()).toEqual(['todo', 'todo']);
    expect(progress(doing(0))).toEqual(['doing', 'todo']);
    expect(progress(doing(0), did(0), doing(1))).toEqual(['done', 'doing']);
    expect(progress(doing(0), did(0), { kind: 'undoing', step: 0 })).toEqual(['undoing', 'todo']);
    expect(progress(doing(0), { kind: 'undoing', step: 0 }, { kind: 'undid', step: 0 })).toEqual([
      'undone',
      'todo',
    ]);
  });

  it('is what was there before a step, until it is taken back', () => {
    const state = replay([begun, doing(0), did(0), { kind: 'undoing', step: 0 }]);
    expect(state).toMatchObject({ steps: [{ progress: { kind: 'undoing', before } }, {}] });
  });

  it('is that a run ended, until it is gone on with', () => {
    const done: JournalRecord = { kind: 'ended', as: 'done' };
    expect(replay([begun, done]).kind).toBe('done');
    expect(replay([begun, doing(0), did(0), done, { kind: 'undoing', step: 0 }]).kind).toBe('begun');
  });

  it('is the last run of several', () => {
    const again = { ...begun, run: 'r2' };
    expect(replay([begun, doing(0), { kind: 'ended', as: 'undone' }, again])).toMatchObject({
      kind: 'begun',
      run: 'r2',
      steps: [{ progress: { kind: 'todo' } }, {}],
    });
  });

  it.each([
    ['a step without a run', [did(0)]],
    ['a step that was not begun', [begun, did(0)]],
    ['a step that is not there', [begun, doing(2)]],
    ['a run that begins within another', [begun, doing(0), begun]],
    ['a run that begins where another is done', [begun, { kind: 'ended', as: 'done' } as const, begun]],
    ['an end without a run', [{ kind: 'ended', as: 'done' } as const]],
  ])('is not guessed from %s', (_what, records) => {
    expect(() => replay(records)).toThrow(/unexpected record/);
  });
});
