import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import { hashOf, nothing } from './before.ts';
import { uploadExecutor } from './large-steps.ts';
import { hastyClock } from './testing-clock.ts';
import { createTestDisk } from './testing-disk.ts';

it('a program of another release than the journal names is not put in place, and it is told what to do', async () => {
  await using disk = await createTestDisk();
  const files = createHostFiles(disk.host);
  const [begunWith, given] = [hashOf('0.4.0'), hashOf('0.5.0')];
  const sources = async (): Promise<Uint8Array> => Buffer.from('0.5.0');
  const executor = uploadExecutor({ host: disk.host, files, run: '1', clock: hastyClock(), sources });
  const path = join(disk.folder, 'edge-lite');
  const step = { kind: 'upload', path, mode: 0o755, source: 'edge-lite-amd64', sha256: begunWith } as const;
  await expect(executor.apply(step, nothing, new AbortController().signal)).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringMatching(new RegExp(`another release: .*${begunWith}.*${given}`)),
    hint: expect.stringMatching(/--artifacts.*`selvedge revert`/),
  });
  expect(await files.look(path)).toEqual({ kind: 'absent' });
});
