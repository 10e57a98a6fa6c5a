import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { processSetup, run } from '@selvedge/hack/setup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** All of a release, made in a dry run. */
const repository = join(import.meta.dirname, '../..');

let folder: string;
let said: string;
let before: string;

/** What a release changes when it is none in a dry run. */
const released = [
  '.changeset',
  'package.json',
  'pnpm-lock.yaml',
  'packages/*/package.json',
  'packages/*/CHANGELOG.md',
];
const status = async (): Promise<string> =>
  (await run({ argv: ['git', '-C', repository, 'status', '--porcelain', '--', ...released] })).stdout;

beforeAll(async () => {
  await processSetup().packages();
  before = await status();
  folder = await mkdtemp(join(tmpdir(), 'release-'));
  const flags = ['--dry-run', '--compression=none', `--out=${relative(repository, folder)}`];
  said = (await run({ argv: [process.execPath, join(repository, 'hack/release/main.ts'), ...flags] })).stdout;
}, 1_800_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a release in a dry run', () => {
  it('leaves the checkout as it is', async () => {
    expect(await status()).toBe(before);
    expect(said).toContain('Nothing was published, tagged or changed.');
  });

  it('makes every file for both processors, with checksums that are right', async () => {
    const version = /^Selvedge (\S+), tag v/.exec(said)?.[1] ?? '';
    const both = (...names: readonly string[]): readonly string[] =>
      names.flatMap((name) => ['amd64', 'arm64'].map((arch) => name.replace('ARCH', arch)));
    const expected = [
      'SHA256SUMS',
      ...['cloud-manager', 'edge-lite', 'selvedge'].flatMap((program) => [
        `${program}_${version}.cdx.json`,
        ...both(`${program}_${version}_linux_ARCH`),
      ]),
      ...both(`cloud-manager_${version}_linux_ARCH.tar`, `node-shell_${version}_linux_ARCH.tar`),
      ...both(`edge-lite_${version}_ARCH.deb`, `selvedge_${version}_ARCH.deb`),
    ];
    expect((await readdir(folder)).toSorted()).toEqual(expected.toSorted());
    await run({ argv: ['sha256sum', '--check', '--strict', '--quiet', 'SHA256SUMS'], cwd: folder });
    for (const file of expected.slice(1)) expect(said).toContain(file);
  });

  it('has compiled into selvedge what the files are that it takes to machines', async () => {
    const sums = (await readFile(join(folder, 'SHA256SUMS'), 'utf8')).split('\n');
    const taken = sums.filter((line) => /(edge-lite|cloud-manager|node-shell)_\S+_linux_/.test(line));
    expect(taken).toHaveLength(8);
    for (const arch of ['amd64', 'arm64']) {
      const name = (await readdir(folder)).find(
        (file) => file.startsWith('selvedge_') && file.endsWith(`linux_${arch}`),
      );
      const executable = await readFile(join(folder, name ?? ''));
      for (const line of taken) expect(executable.includes(line.slice(0, 64))).toBe(true);
    }
  });
});
