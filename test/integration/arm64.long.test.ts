import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processSetup, run, runUnchecked } from '@selvedge/hack/setup';
import { nodeFor } from '@selvedge/hack/sea';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The tests of an edge node on Node for arm64, emulated. */
const repository = join(import.meta.dirname, '../..');
const arm64 = join(repository, 'test/arm64');
const namespaces = [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  '--propagation=private',
  '--',
] as const;

/** As far as it is read. Source: vitest, reporter `json`. */
interface Outcome {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

let folder: string;
beforeAll(async () => {
  await processSetup().packages();
  folder = await mkdtemp(join(tmpdir(), 'arm64-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('on arm64', () => {
  it('programs run, and those that they start', async () => {
    const script = `process.stdout.write(process.arch + require('node:child_process').execFileSync(process.execPath, ['-p', 'process.arch']))`;
    const argv = [...namespaces, join(arm64, 'enter.sh'), nodeFor('arm64'), '-e', script] as const;
    expect((await run({ argv })).stdout.trim()).toBe('arm64arm64');
  });

  it('the unit and contract tests of edge-lite pass', { timeout: 3 * 3_600_000 }, async () => {
    const file = join(folder, 'outcome.json');
    const vitest = [process.execPath, join(repository, 'node_modules/vitest/vitest.mjs'), 'run'];
    const reports = ['--reporter=json', `--outputFile=${file}`];
    const config = ['--config', join(arm64, 'vitest.config.ts')];
    const argv = [...namespaces, join(arm64, 'enter.sh'), ...vitest, ...config, ...reports] as const;
    const { exitCode } = await runUnchecked({ argv, cwd: repository });
    const outcome = JSON.parse(await readFile(file, 'utf8')) as Outcome;
    const failed = outcome.testResults.flatMap(({ name, message, assertionResults }) => [
      ...(message === '' ? [] : [`${name}: ${message}`]),
      ...assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${name}: ${fullName}`),
    ]);
    expect({ exitCode, failed }).toEqual({ exitCode: 0, failed: [] });
    expect(outcome.numPassedTests).toBeGreaterThan(1_000);
  });
});
