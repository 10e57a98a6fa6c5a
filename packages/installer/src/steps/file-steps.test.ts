import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { noSources } from './executor.ts';
import { treeExecutor } from './file-steps.ts';
import { createTestDisk } from './testing-disk.ts';

const { signal } = new AbortController();

it.each([
  ['goes with what pods left in it', 'calico.conflist', true, []],
  ['stays with what a package has in it', 'podman.conflist', true, ['podman.conflist']],
  ['that is ours alone goes', 'podman.conflist', false, []],
])('a folder %s', async (_what, file, shared, left) => {
  await using disk = await createTestDisk();
  const bin = join(disk.folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'dpkg-query'), '#!/bin/sh\ncase "$2" in */podman*) ;; *) exit 1 ;; esac\n');
  await chmod(join(bin, 'dpkg-query'), 0o755);
  const env = ['env', `PATH=${bin}:${process.env['PATH'] ?? ''}`] as const;
  const host: Host = {
    ...disk.host,
    run: (command, within) => disk.host.run({ ...command, argv: [...env, ...command.argv] }, within),
  };
  const notes: string[] = [];
  const onNote = (text: string): number => notes.push(text);
  const files = createHostFiles(host);
  const executor = treeExecutor({ host, files, run: 'r1', clock: systemClock, sources: noSources, onNote });
  const path = join(disk.folder, 'cni');
  const step = { kind: 'tree', path, mode: 0o755, shared } as const;
  const before = await executor.look(step, signal);
  await executor.apply(step, before, signal);
  await mkdir(join(path, 'net.d'));
  await writeFile(join(path, 'net.d', file), '{}');
  await executor.undo(step, before, signal);
  const names = Array.from((await disk.look()).keys()).filter((name) => name.endsWith('.conflist'));
  expect(names.map((name) => name.split('/').at(-1))).toEqual(left);
  expect(notes).toEqual(left.map((name) => expect.stringMatching(`cni stays: .*${name}$`)));
});
