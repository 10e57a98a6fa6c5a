import { expect, it } from 'vitest';
import { busyboxEntries } from './busybox.ts';

it('links every applet to the one program', () => {
  const entries = busyboxEntries(Buffer.from('elf'), ['bin/busybox', 'bin/sh', 'usr/bin/env']);
  expect(entries).toContainEqual({
    kind: 'file',
    path: 'bin/busybox',
    content: Buffer.from('elf'),
    mode: 0o755,
  });
  expect(entries).toContainEqual({ kind: 'symlink', path: 'usr/bin/env', target: '/bin/busybox' });
  expect(entries.filter((entry) => entry.path === 'bin/busybox')).toHaveLength(1);
});

it('lets everybody write into /tmp', () => {
  expect(busyboxEntries(Buffer.of(), [])).toContainEqual({ kind: 'directory', path: 'tmp', mode: 0o1777 });
});
