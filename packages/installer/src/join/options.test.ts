import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderChecksums } from '../artifacts/index.ts';
import type { JournalRecord } from '../journal/index.ts';
import { replay } from '../journal/replay.ts';
import { packagesIn } from './archives.ts';
import { checkJoinOptions, nodeNameOf } from './check-options.ts';
import type { BegunRun } from '../journal/index.ts';
import { nodeNameIn, otherThan } from './journalled.ts';
import { configOf } from './plan.ts';
import { testOptions, testRuntime, testSight } from './testing.ts';

describe('what a person asks for', () => {
  it('may be right', () => {
    expect(() => checkJoinOptions(testOptions)).not.toThrow();
  });

  it.each([
    ['a server without https', { server: 'http://a:6443' }, '--server'],
    ['a server with a path', { server: 'https://a:6443/api' }, '--server'],
    ['a hash that is none', { caHash: 'sha256:1' }, '--ca-hash'],
    ['a token that is none', { token: 'secret' }, 'a bootstrap token is'],
    ['a name that is none', { nodeName: 'Till_5' }, 'is not a valid Node name'],
  ])('is refused with %s before anybody is asked', (_what, part, words) => {
    expect(() => checkJoinOptions({ ...testOptions, ...part })).toThrow(words);
  });

  it('is a Node with the name of the host, unless it says otherwise', () => {
    expect(nodeNameOf({}, 'Till-5.Shop')).toBe('till-5.shop');
    expect(nodeNameOf({ nodeName: 'a' }, 'Till-5')).toBe('a');
    expect(() => nodeNameOf({}, 'till_5')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--node-name') }),
    );
  });
});

describe('a join that was begun', () => {
  const plan = {
    nodeName: 'till-5',
    runtime: testRuntime,
    cluster: testSight.cluster,
    program: { sha256: '' },
    archives: [],
  };
  const begun: JournalRecord = {
    kind: 'begun',
    run: 'r1',
    command: 'selvedge join',
    version: '1',
    at: '2026-01-01T00:00:00Z',
    steps: [
      {
        kind: 'file',
        path: '/etc/selvedge/edge-lite.yaml',
        mode: 0o600,
        content: configOf(plan, testOptions),
      },
    ],
  };
  // It was begun just now.
  const state = replay([begun]) as BegunRun;

  it('tells which node it is', () => {
    expect(nodeNameIn(state)).toBe('till-5');
  });

  it('is gone on with by the same command, with whatever token', () => {
    expect(otherThan(state, { ...testOptions, token: 'fedcba.0123456789abcdef' })).toBeUndefined();
  });

  it.each([
    [{ nodeName: 'till-6' }, 'as till-5'],
    [{ server: 'https://198.51.100.1:6443' }, `the cluster at ${testOptions.server}`],
    [{ caHash: `sha256:${'1'.repeat(64)}` }, 'another CA'],
  ])('is not taken for another one: %j', (part, words) => {
    expect(otherThan(state, { ...testOptions, ...part })).toContain(words);
  });
});

describe('packages beside a release', () => {
  const names = [
    'runc_1.1.5_amd64.deb',
    'containerd_1_arm64.deb',
    'plugins_1_all.deb',
    'a.x86_64.rpm',
    'README',
    'SHA256SUMS',
  ];
  const sums = renderChecksums(
    new Map(names.map((name) => [name, hash('sha256', `/release/packages/${name}`)] as const)),
  );
  const listed = (list: string): ReturnType<typeof packagesIn> =>
    packagesIn('/release/packages', {
      readFolder: async () => names,
      readFile: async (path) => Buffer.from(path.endsWith('/SHA256SUMS') ? list : path),
    });
  const packages = listed(sums);

  it.each([
    ['does not match', sums.replaceAll(/^\w{64}/gm, '0'.repeat(64))],
    ['is not listed in', ''],
  ])('are not installed if one %s the list of checksums', async (words, list) => {
    const refused = listed(list)({ arch: 'amd64', manager: 'apt' });
    await expect(refused).rejects.toMatchObject({ code: 'Corrupt', message: expect.stringContaining(words) });
  });

  it.each([
    ['amd64', 'apt', ['plugins_1_all.deb', 'runc_1.1.5_amd64.deb']],
    ['arm64', 'apt', ['containerd_1_arm64.deb', 'plugins_1_all.deb']],
    ['amd64', 'dnf', ['a.x86_64.rpm']],
    ['arm64', 'dnf', []],
  ] as const)('are those for %s and %s', async (arch, manager, files) => {
    const found = await packages({ arch, manager });
    expect(found.map(({ file }) => file)).toEqual(files);
    expect(found.every(({ file, bytes }) => bytes.toString() === `/release/packages/${file}`)).toBe(true);
  });
});
