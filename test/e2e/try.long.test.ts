import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Bed } from '@selvedge/bed';
import { afterAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const hack = (tool: string): string => join(import.meta.dirname, '../../hack', tool);
const bed = 'try-it';
const patient = { timeout: 20 * 60_000 };
const maxBuffer = 16 * 1024 * 1024;

afterAll(() => Bed.down(bed));

describe('hack/try', () => {
  it(
    'shows shops, an app rolled out, a cut and a power cut, leaves the cluster up, and says what to type',
    patient,
    async () => {
      const { stdout } = await run(hack('try'), ['--bed', bed], { maxBuffer });
      // Each of its scenes waits for what it tells, and fails if it does not come.
      expect(stdout).toContain('Four lite nodes have joined');
      expect(stdout).toContain('The cluster stays up.');
      const nodes = await run(hack('bed'), ['--bed', bed, 'kubectl', 'get', 'nodes', '--no-headers']);
      expect(nodes.stdout.trim().split('\n')).toHaveLength(4);
      const apps = ['--bed', bed, 'kubectl', 'get', 'unitapps', '-A', '--no-headers'];
      expect((await run(hack('bed'), apps)).stdout).not.toBe('');
    },
  );

  it('is removed with all that belongs to it', patient, async () => {
    await run(hack('bed'), ['--bed', bed, 'down', '--yes']);
    await expect(run(hack('bed'), ['--bed', bed, 'status'])).rejects.toMatchObject({ code: 3 });
  });
});
