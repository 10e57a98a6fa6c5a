import { describe, expect, it } from 'vitest';
import { type MachineFacts, parseGoVersion } from './machine-facts.ts';
import { neededPrograms, preflight } from './preflight.ts';
import { findingsError } from './setup.ts';

const gib = 1024 ** 3;
const ready: MachineFacts = {
  uid: 0,
  platform: 'linux-x64',
  nodeVersion: '24.21.0',
  freeDiskBytes: 20 * gib,
  firstRun: true,
  programs: new Set(neededPrograms),
  goVersion: '1.26.8',
  given: undefined,
};

describe('preflight', () => {
  it('finds nothing on a machine that is ready', () => {
    expect(preflight(ready)).toEqual([]);
  });

  const rows: readonly (readonly [string, Partial<MachineFacts>, RegExp])[] = [
    ['a user who is not root', { uid: 1000 }, /not root/],
    ['another processor', { platform: 'linux-arm64' }, /linux-arm64/],
    ['another system', { platform: 'darwin-x64' }, /darwin-x64/],
    ['the host’s own Node', { nodeVersion: '20.20.2' }, /Node 20\.20\.2 instead of 24/],
    ['a full disk', { freeDiskBytes: 9.5 * gib }, /9\.5 GiB/],
    ['no room for a bed', { firstRun: false, freeDiskBytes: gib }, /1\.0 GiB/],
    ['no npm', { programs: new Set(['apt-get', 'flock']) }, /npm is not there/],
    ['no Go', { goVersion: undefined }, /Go is not there/],
    ['an old Go', { goVersion: '1.25.4' }, /Go 1\.25\.4 is too old/],
    [
      'binaries that lack one',
      { goVersion: undefined, given: { folder: '/b', missing: ['etcd'] } },
      /\/b lacks etcd/,
    ],
  ];

  it.each(rows)('reports %s, with a remedy', (_name, change, problem) => {
    const findings = preflight({ ...ready, ...change });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.problem).toMatch(problem);
    expect(findings[0]?.remedy).not.toBe('');
  });

  it('needs no Go where all binaries are given', () => {
    expect(preflight({ ...ready, goVersion: undefined, given: { folder: '/b', missing: [] } })).toEqual([]);
  });

  it('needs less room once everything is built', () => {
    expect(preflight({ ...ready, firstRun: false, freeDiskBytes: 3 * gib })).toEqual([]);
  });

  it('reports everything at once', () => {
    const findings = preflight({ ...ready, uid: 1000, goVersion: undefined, freeDiskBytes: 0 });
    expect(findings).toHaveLength(3);
    const { message } = findingsError(findings);
    for (const { problem, remedy } of findings) {
      expect(message).toContain(problem);
      expect(message).toContain(remedy);
    }
  });
});

it.each([
  ['go version go1.26.8 linux/amd64', '1.26.8'],
  ['go version go1.27rc1 linux/amd64', '1.27'],
  ['command not found', undefined],
])('reads Go’s version from %j', (output, version) => {
  expect(parseGoVersion(output)).toBe(version);
});
