import { readFile } from 'node:fs/promises';
import { SelvedgeError, aborted } from '@selvedge/kit';
import { expect, test } from 'vitest';
import type { Progress } from '../../command/index.ts';
import { manifestFile } from '../egress/manifest.ts';
import { createTestMachine, machine, machineDeps } from '../machine/testing-machine.ts';
import type { CloudDeps } from '../types.ts';
import { wireEgress } from './egress.ts';

test('a manifest is put back when a person stops before the API server is ready again', async () => {
  await using on = await createTestMachine();
  const before = await on.look();
  const stopping = new AbortController();
  const notes: string[] = [];
  const progress: Progress = {
    task: (_title, work) => work(progress),
    note: (text) => void notes.push(text),
  };
  let edited = '';
  const cluster = {
    // The only API server there is.
    async get() {
      edited = await readFile(on.at(manifestFile), 'utf8');
      stopping.abort(aborted('selvedge'));
      throw new SelvedgeError('connection refused', { code: 'Unavailable' });
    },
  };
  const deps = { ...machineDeps(on, stopping.signal), cluster, progress } as unknown as CloudDeps;
  await expect(wireEgress(machine, deps)).rejects.toMatchObject({ code: 'Aborted' });
  expect(edited).toContain('--egress-selector-config-file');
  expect(await on.look()).toEqual(before);
  expect(notes.at(-1)).toBe('the manifest of the API server on cp-1 is restored');
});
