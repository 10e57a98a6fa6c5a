import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { type JournalRecord, journalPlace } from '../journal/index.ts';
import { replay } from '../journal/replay.ts';
import { joinTraces } from '../session/index.ts';
import { begin } from './begin.ts';

const { signal } = new AbortController();
const begun = (run: string, command = 'selvedge join'): JournalRecord => {
  return { kind: 'begun', run, command, version: '1', at: '2026-01-01T00:00:00Z', steps: [] };
};

/** Begins on a machine whose journal says this, after a look that saw `seen` under way; what is written into the journal then. */
async function beginning(
  seen: string | undefined,
  ...records: readonly JournalRecord[]
): Promise<readonly JournalRecord[]> {
  const written: JournalRecord[] = [];
  const host: Host = {
    name: 'till-5',
    run: ({ argv }) => Promise.reject(new Error(`${argv.join(' ')} was run`)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const journal = {
    state: replay(records),
    write: async (record: JournalRecord): Promise<void> => void written.push(record),
  };
  const files = createHostFiles(host);
  const place = journalPlace();
  const session = { run: 'r9', host, files, place, journal, traces: joinTraces, forget: () => undefined };
  const surveyed = {
    nodeName: 'till-5',
    steps: [],
    warnings: [],
    ...(seen === undefined ? {} : { run: seen }),
  };
  const deps = { token: 'a.b', clock: createManualClock(), version: '1', signal };
  await begin(session, surveyed, deps);
  return written;
}

describe('a join', () => {
  it('begins where nothing is, and where all was taken back', async () => {
    expect(await beginning(undefined)).toMatchObject([
      { kind: 'begun', run: 'r9', command: 'selvedge join' },
    ]);
    const again = await beginning(undefined, begun('r1'), { kind: 'ended', as: 'undone' });
    expect(again).toMatchObject([{ kind: 'begun' }]);
  });

  it('goes on with the run that it saw', async () => {
    expect(await beginning('r1', begun('r1'))).toEqual([]);
  });

  it.each([
    ['another has joined it', undefined, [begun('r1'), { kind: 'ended', as: 'done' }]],
    ['another goes on with it', undefined, [begun('r1')]],
    ['another command has it', undefined, [begun('r1', 'selvedge convert')]],
    ['another has ended the run that it saw', 'r1', [begun('r1'), { kind: 'ended', as: 'done' }]],
    ['another has taken back the run that it saw', 'r1', [begun('r1'), { kind: 'ended', as: 'undone' }]],
    ['another has begun anew', 'r1', [begun('r2')]],
  ] as const)('writes nothing if %s meanwhile', async (_what, seen, records) => {
    await expect(beginning(seen, ...records)).rejects.toMatchObject({ code: 'Conflict' });
  });
});
