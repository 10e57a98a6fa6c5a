import { describe, expect, it } from 'vitest';
import { parseHierarchies } from './cgroups.ts';
import { sandboxesOf } from './leftovers.ts';
import { parseMountPoints } from './mounts.ts';

describe('what the kernel says', () => {
  it('of cgroups is read in both versions', () => {
    const mounts = [
      'tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0',
      'cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
      '',
    ].join('\n');
    expect(parseHierarchies(mounts)).toEqual([
      { mountPoint: '/sys/fs/cgroup/cpuset', version: 1, controllers: ['rw', 'relatime', 'cpuset'] },
      { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: ['rw'] },
    ]);
  });

  it('of mounts is read with its escapes', () => {
    const text =
      '36 35 98:0 /mnt1 /a\\040b\\134c rw master:1 - ext3 /dev/root rw\n37 35 0:1 / /d rw - proc proc rw\n';
    expect(parseMountPoints(text)).toEqual(['/a b\\c', '/d']);
  });

  it('of CNI networks is told apart by their names', () => {
    const records = ['selvedge.bed.n-abc-eth0', 'selvedge.bed.n1-def-eth0', 'cni-loopback-abc-lo'];
    expect(sandboxesOf('selvedge.bed.n-', records)).toEqual(['abc']);
    expect(sandboxesOf('selvedge.bed.', records)).toEqual(['abc', 'def']);
  });
});
