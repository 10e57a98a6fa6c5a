import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../setup/index.ts';
import { edgeLitePackage } from './edge-lite.ts';

const { scripts = {} } = edgeLitePackage({ executable: Buffer.from(''), version: '1.2.0', arch: 'amd64' });

/** Of a machine: its state, its config, a systemd, and what was called. */
let root: string;
const at = (path: string): string => join(root, path);
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'selvedge-deb-'));
  for (const folder of ['bin', 'run/systemd/system', 'etc/selvedge', 'var/lib/selvedge/pki']) {
    await mkdir(at(folder), { recursive: true });
  }
  await writeFile(at('etc/selvedge/edge-lite.yaml'), '');
  await writeFile(at('calls'), '');
  for (const program of ['systemctl', 'deb-systemd-helper']) {
    await writeFile(at(`bin/${program}`), `#!/bin/sh\necho ${program} "$@" >> ${at('calls')}\n`);
    await chmod(at(`bin/${program}`), 0o755);
  }
});
afterEach(() => rm(root, { recursive: true }));

/** As dpkg runs it, on that machine. */
async function script(name: 'prerm' | 'postrm', argument: 'remove' | 'purge'): Promise<string> {
  const text = (scripts[name] ?? '').replaceAll(/(?<= )\/(?=(?:etc|run|var)\/)/g, `${root}/`);
  const env = { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` };
  return (await run({ argv: ['sh', '-c', text, 'sh', argument], env })).stderr;
}

async function purged(): Promise<string> {
  return [
    await script('prerm', 'remove'),
    await script('postrm', 'remove'),
    await script('postrm', 'purge'),
  ].join('');
}

it('what the package runs and keeps goes with it', async () => {
  expect(await purged()).toBe('');
  expect(await readFile(at('calls'), 'utf8')).toContain('systemctl stop edge-lite.service');
  expect([await readdir(at('var/lib')), await readdir(at('etc/selvedge'))]).toEqual([[], []]);
});

it('a node that selvedge set up runs on, and keeps what it has', async () => {
  await mkdir(at('var/lib/selvedge-installer'));
  await writeFile(at('var/lib/selvedge-installer/journal'), '');
  expect(await purged()).toContain('selvedge revert or selvedge reset');
  expect(await readFile(at('calls'), 'utf8')).toBe('');
  expect(await readdir(at('var/lib/selvedge'))).toEqual(['pki']);
  expect(await readdir(at('etc/selvedge'))).toEqual(['edge-lite.yaml']);
});
