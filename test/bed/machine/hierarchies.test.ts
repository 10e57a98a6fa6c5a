import { describe, expect, it } from 'vitest';
import { parseHierarchies } from '../host/cgroups.ts';
import { hierarchyMounts } from './hierarchies.ts';

const mounts = `tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid,nodev 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,nosuid,xattr,release_agent=/lib/agent,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset,clone_children 0 0
cgroup /elsewhere/cpuset cgroup rw,cpuset 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset,clone_children 0 0
`;

describe('hierarchyMounts', () => {
  it('mounts each hierarchy once, by the options that tell which one it is', () => {
    expect(hierarchyMounts(parseHierarchies(mounts))).toEqual([
      { type: 'cgroup2', folder: '/sys/fs/cgroup/unified', name: 'unified', options: [] },
      {
        type: 'cgroup',
        folder: '/sys/fs/cgroup/systemd',
        name: 'systemd',
        options: ['none', 'name=systemd'],
      },
      {
        type: 'cgroup',
        folder: '/sys/fs/cgroup/cpu,cpuacct',
        name: 'cpu,cpuacct',
        options: ['cpu', 'cpuacct'],
      },
      { type: 'cgroup', folder: '/sys/fs/cgroup/cpuset', name: 'cpuset', options: ['cpuset'] },
    ]);
  });
});
