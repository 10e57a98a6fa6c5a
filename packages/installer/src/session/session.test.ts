import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
import { journalPlace } from '../journal/index.ts';
import { createTestDisk } from '../steps/testing-disk.ts';
import { withSessionOn } from './session.ts';

it('why the work failed is what is thrown, where more was done than the journal tells too', async () => {
  await using disk = await createTestDisk();
  const run: Host['run'] = async (command, signal) =>
    command.argv.some((word) => word.includes('depth=99'))
      ? { exitCode: 0, stdout: Buffer.from('led /etc/kubelet.conf\n'), stderr: Buffer.alloc(0) }
      : await disk.host.run(command, signal);
  const notes: string[] = [];
  const progress = { note: (text: string): number => notes.push(text) };
  const { signal } = new AbortController();
  const place = journalPlace(join(disk.folder, 'installer'));
  const failure = new Error('the work failed');
  const deps = { clock: systemClock, random: seededRandom(1), progress, signal };
  const entering = { command: 'selvedge convert', host: { ...disk.host, run }, place };
  await expect(withSessionOn(entering, deps, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(notes).toEqual([expect.stringContaining('/etc/kubelet.conf points to something')]);
  await expect(withSessionOn(entering, deps, () => Promise.resolve())).rejects.toMatchObject({
    code: 'Corrupt',
  });
});
