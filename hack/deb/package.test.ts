import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../setup/index.ts';
import { debVersion } from './control.ts';
import { edgeLitePackage } from './edge-lite.ts';
import { type DebPackage, buildDeb, renderControl } from './package.ts';

const program = { executable: Buffer.from('#!/bin/true\n'), version: '1.2.0-rc.1', arch: 'arm64' } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-deb-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function build(name: string, content: DebPackage): Promise<string> {
  const outfile = join(folder, name);
  await buildDeb(content, { outfile, sourceDateEpoch: 1_700_000_000, compression: 'gzip' });
  return outfile;
}

const dpkg = async (...args: readonly string[]): Promise<string> =>
  (await run({ argv: ['dpkg-deb', ...args], env: { TZ: 'UTC' } })).stdout;

describe('a Debian package', () => {
  it('is the same when it is made again', async () => {
    const content = edgeLitePackage(program);
    const [one, other] = [await build('one.deb', content), await build('other.deb', content)];
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
  });

  it('holds executable, unit and example, of root, of the time of the sources', async () => {
    const list = (await dpkg('--contents', await build('a.deb', edgeLitePackage(program)))).split('\n');
    const found = list.map((line) => line.replaceAll(/ +/g, ' ')).filter((line) => line.startsWith('-'));
    expect(found).toEqual([
      expect.stringMatching(
        /^-rw-r--r-- root\/root \d+ 2023-11-14 22:13 .\/etc\/selvedge\/edge-lite.yaml.example$/,
      ),
      expect.stringMatching(/^-rwxr-xr-x root\/root 12 2023-11-14 22:13 .\/usr\/bin\/edge-lite$/),
      expect.stringMatching(/ .\/usr\/lib\/systemd\/system\/edge-lite.service$/),
    ]);
  });

  it('tells what it is, and which files are the administrator’s', async () => {
    const file = await build('a.deb', edgeLitePackage(program));
    const fields = (await dpkg('--field', file, 'Package', 'Version', 'Architecture')).trim().split('\n');
    expect(fields).toEqual(['Package: edge-lite', 'Version: 1.2.0~rc.1', 'Architecture: arm64']);
    expect(await dpkg('--info', file, 'conffiles')).toBe('/etc/selvedge/edge-lite.yaml.example\n');
  });

  it.each(['postinst', 'prerm', 'postrm'] as const)('has a %s that sh understands', async (name) => {
    const script = edgeLitePackage(program).scripts?.[name] ?? '';
    expect(script).toContain('edge-lite.service');
    await run({ argv: ['sh', '-n'], input: script });
  });
});

describe('its control file', () => {
  it('indents what goes on, and marks empty lines', () => {
    expect(renderControl({ Package: 'a', Description: 'short\nlong\n\nlonger' })).toBe(
      'Package: a\nDescription: short\n long\n .\n longer\n',
    );
  });

  it('has pre-releases before the release', async () => {
    const older = ['--compare-versions', debVersion('1.0.0-rc.1'), 'lt', debVersion('1.0.0')];
    await run({ argv: ['dpkg', ...older] });
  });
});
