import { hash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { checksumsFile, parseChecksums, renderChecksums } from './checksums.ts';
import { artifactName } from './names.ts';
import { openArtifacts } from './open.ts';
import type { Artifacts, Digests } from './types.ts';

const at = { version: '0.4.0', arch: 'arm64' } as const;
const agent = artifactName('edge-lite', at);

/** A folder in memory, and how often its files were read. */
class Folder {
  readonly files = new Map<string, Buffer>();
  readonly reads: string[] = [];

  put(name: string, content: string): string {
    this.files.set(`/release/${name}`, Buffer.from(content));
    return hash('sha256', content);
  }

  open(digests?: Digests): Promise<Artifacts> {
    return openArtifacts('/release', {
      digests,
      readFile: async (path) => {
        this.reads.push(path);
        const found = this.files.get(path);
        if (found !== undefined) return found;
        throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
      },
    });
  }
}

function release(): Folder {
  const folder = new Folder();
  const kinds = ['edge-lite', 'cloud-manager', 'cloud-manager-program', 'node-shell'] as const;
  const digests = kinds.map((kind) => {
    const name = artifactName(kind, at);
    return [name, folder.put(name, `the ${kind}`)] as const;
  });
  folder.put(checksumsFile, renderChecksums(new Map(digests)));
  return folder;
}

describe('the folder of a release', () => {
  test('gives its files with version and checksum', async () => {
    const artifacts = await release().open();
    expect(await artifacts.edgeLite('arm64')).toEqual({
      file: 'edge-lite_0.4.0_linux_arm64',
      bytes: Buffer.from('the edge-lite'),
      sha256: hash('sha256', 'the edge-lite'),
      version: '0.4.0',
    });
    expect((await artifacts.managerImage('arm64')).bytes.toString()).toBe('the cloud-manager');
    expect((await artifacts.cloudManager('arm64')).bytes.toString()).toBe('the cloud-manager-program');
    expect((await artifacts.nodeShellImage('arm64')).file).toBe('node-shell_0.4.0_linux_arm64.tar');
  });

  test('is read once, for all who ask', async () => {
    const folder = release();
    const artifacts = await folder.open();
    const [one, other] = await Promise.all([artifacts.edgeLite('arm64'), artifacts.edgeLite('arm64')]);
    expect(one).toBe(other);
    expect(folder.reads).toEqual([`/release/${checksumsFile}`, `/release/${agent}`]);
  });

  test('that was tampered with gives nothing, until it is put right', async () => {
    const folder = release();
    const artifacts = await folder.open();
    folder.put(agent, 'the edge-lite, and more');
    await expect(artifacts.edgeLite('arm64')).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining(`/release/${agent} is not the published file`),
      hint: expect.stringContaining('do not use it'),
    });
    folder.put(agent, 'the edge-lite');
    expect((await artifacts.edgeLite('arm64')).version).toBe('0.4.0');
  });

  test.each([
    ['a file that is not there', 'arm64', /cannot read \/release\/edge-lite_0\.4\.0_linux_arm64/],
    ['a processor that the release is not for', 'amd64', /no edge-lite for linux\/amd64/],
  ] as const)('names %s', async (_what, arch, message) => {
    const folder = release();
    folder.files.delete(`/release/${agent}`);
    const artifacts = await folder.open();
    await expect(artifacts.edgeLite(arch)).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('release'),
    });
  });

  test('holds one release, not two', async () => {
    const folder = release();
    const sums = folder.files.get(`/release/${checksumsFile}`)?.toString() ?? '';
    folder.put(checksumsFile, `${sums}${'0'.repeat(64)}  edge-lite_0.5.0_linux_arm64\n`);
    await expect((await folder.open()).edgeLite('arm64')).rejects.toMatchObject({ code: 'Invalid' });
  });

  test('without checksums is none', async () => {
    await expect(new Folder().open()).rejects.toMatchObject({
      code: 'NotFound',
      hint: expect.stringContaining('--artifacts'),
    });
  });

  test('is not asked what it should be by a program that knows', async () => {
    const folder = release();
    const known = new Map([[agent, hash('sha256', 'the edge-lite')]]);
    const forged = folder.put(agent, 'forged');
    folder.put(checksumsFile, renderChecksums(new Map([[agent, forged]])));
    expect((await (await folder.open()).edgeLite('arm64')).bytes.toString()).toBe('forged');
    await expect((await folder.open(known)).edgeLite('arm64')).rejects.toMatchObject({ code: 'Corrupt' });
  });
});

describe('the list of checksums', () => {
  const names = fc.stringMatching(/^[A-Za-z0-9._+ ~-]{1,40}$/);
  const digests = fc.uniqueArray(fc.tuple(names, fc.stringMatching(/^[0-9a-f]{64}$/)), {
    selector: ([name]) => name,
  });

  property.prop([digests])('is read as it was written', (entries) => {
    expect(parseChecksums(renderChecksums(new Map(entries)))).toEqual(new Map(entries));
  });

  const sum = '0'.repeat(64);
  test.each([
    ['a path', `${sum}  ../edge-lite\n`],
    ['a digest that is too short', `${sum.slice(1)}  edge-lite\n`],
    ['a name twice', `${sum}  edge-lite\n${sum}  edge-lite\n`],
    ['an empty line', `\n${sum}  edge-lite\n`],
    ['other words', 'SHA256 (edge-lite) = 0\n'],
  ])('with %s is refused', (_what, text) => {
    expect(() => parseChecksums(text)).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });
});
