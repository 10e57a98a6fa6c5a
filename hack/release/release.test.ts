import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { bundleProgram } from '../programs.ts';
import { run } from '../setup/index.ts';
import { type Lockfile, type Metafile, bundledPackages, packageFolders } from './bundled.ts';
import { sbomOf } from './sbom.ts';
import { nextSteps, releaseSummary } from './summary.ts';
import { changesOf, nextRelease } from './versions.ts';

const repository = join(import.meta.dirname, '../..');

describe('the next release', () => {
  it('has the versions and changelogs that the changesets ask for, and leaves the checkout as it is', async () => {
    const status = async (): Promise<string> =>
      (
        await run({
          argv: ['git', '-C', repository, 'status', '--porcelain', '--', '.changeset', 'packages/kit'],
        })
      ).stdout;
    const before = await status();
    const { version, packages } = await nextRelease(repository);
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(new Set(packages.map((one) => one.version))).toEqual(new Set([version]));
    expect(packages.map(({ name }) => name)).toContain('@selvedge/edge-lite');
    expect(await status()).toBe(before);
  });

  it('is told with its changes only', () => {
    const changelog = '# a\n\n## 0.2.0\n\n- new\n\n## 0.1.0\n\n- old\n';
    expect(changesOf(changelog, '0.2.0')).toBe('- new');
    expect(changesOf(changelog, '0.1.0')).toBe('- old');
    expect(changesOf(changelog, '0.3.0')).toBe('');
  });

  it('is shown with files, sizes and what is left to do', () => {
    const packages = [
      { name: '@selvedge/a', version: '0.2.0', changes: '- new' },
      { name: '@selvedge/b', version: '0.2.0', changes: '' },
    ];
    const release = { version: '0.2.0', packages };
    const files = [{ file: 'a_0.2.0', bytes: 3 * 2 ** 20, sha256: 'ab' }];
    const text = releaseSummary(release, { files, folder: 'dist/release' });
    expect(text).toContain('  a_0.2.0  3.0  ab\n');
    expect(text).toContain('1 of 2 changed');
    expect(nextSteps(release, { dryRun: true })).toContain('# @selvedge/a\n\n- new');
    expect(nextSteps(release, { dryRun: false })).toContain('git tag v0.2.0');
  });
});

describe('the bill of materials', () => {
  it('finds packages by what is of them in the bundle', () => {
    const inputs = {
      'node_modules/.pnpm/@a+b@1.0.0/node_modules/@a/b/index.js': { bytesInOutput: 7 },
      'node_modules/.pnpm/c@2.0.0/node_modules/c/lib/c.js': { bytesInOutput: 7 },
      'node_modules/.pnpm/d@2.0.0/node_modules/d/unused.js': { bytesInOutput: 0 },
      'packages/kit/src/clock.ts': { bytesInOutput: 7 },
    };
    expect(packageFolders({ outputs: { 'a.cjs': { inputs } } })).toEqual([
      'node_modules/.pnpm/@a+b@1.0.0/node_modules/@a/b',
      'node_modules/.pnpm/c@2.0.0/node_modules/c',
      'packages/kit',
    ]);
  });

  it('of edge-lite lists what is in it with version, license and checksum, and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'selvedge-sbom-'));
    const metafile = join(folder, 'meta.json');
    try {
      await bundleProgram('edge-lite', join(folder, 'edge-lite.cjs'), { metafile });
      const lockfile = parse(await readFile(join(repository, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;
      const inputs = JSON.parse(await readFile(metafile, 'utf8')) as Metafile;
      const packages = await bundledPackages(inputs, { repository, lockfile });
      const names = packages.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['@selvedge/edge-lite', 'valibot', 'yaml']));
      for (const absent of ['ssh2', 'better-sqlite3', 'vitest', '@selvedge/cloud-manager']) {
        expect(names).not.toContain(absent);
      }
      for (const { name, license, integrity } of packages) {
        expect({ name, license }).toEqual({ name, license: expect.stringMatching(/^[A-Za-z0-9.()+ -]+$/) });
        expect({ name, known: integrity !== undefined }).toEqual({
          name,
          known: !name.startsWith('@selvedge/'),
        });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is CycloneDX, with Node and what is in that', () => {
    const sbom = sbomOf({
      program: 'edge-lite',
      version: '0.1.0',
      packages: [{ name: '@a/b', version: '1.0.0', license: 'MIT', integrity: 'sha512-AAEC' }],
      nodeVersions: { node: '24.21.0', openssl: '3.5.4', modules: '137' },
      sourceDateEpoch: 1_700_000_000,
    });
    const openssl = { name: 'openssl', version: '3.5.4', purl: 'pkg:generic/openssl@3.5.4' };
    expect(sbom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { timestamp: '2023-11-14T22:13:20.000Z', component: { name: 'edge-lite', version: '0.1.0' } },
      components: [
        { name: 'node', purl: 'pkg:generic/node@24.21.0', components: [openssl] },
        {
          purl: 'pkg:npm/%40a/b@1.0.0',
          licenses: [{ expression: 'MIT' }],
          hashes: [{ alg: 'SHA-512', content: '000102' }],
        },
      ],
    });
    expect(JSON.stringify(sbom)).not.toContain('modules');
  });
});
