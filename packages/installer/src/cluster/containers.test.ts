import { describe, expect, it } from 'vitest';
import { parseContainers } from './containers.ts';

const id = (digit: string): string => digit.repeat(64);
const uid = '0a1b2c3d-1111-2222-3333-444455556666';
const hash = '0123456789abcdef0123456789abcdef';

const stat = (pid: number, name: string, started: number): string =>
  `${pid} (${name}) S ${Array.from({ length: 18 }, () => '0').join(' ')} ${started} 1 2 3`;

const print = (cgroups: readonly string[], stats: readonly string[]): string =>
  `${cgroups.map((line) => `${line}\n`).join('')}--\n${stats.join('\n')}\n`;

describe('the containers of a machine', () => {
  it.each([
    ['cgroupfs, version 1', `9:memory:/kubepods/burstable/pod${uid}/${id('a')}`, uid],
    [
      'systemd',
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id('a')}.scope`,
      uid,
    ],
    [
      'a path that systemd was not asked for',
      `0::/system.slice/containerd.service/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice:cri-containerd:${id('a')}`,
      uid,
    ],
    [
      'CRI-O',
      `0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/crio-${id('a')}.scope/container`,
      uid,
    ],
    ['a static pod', `0::/kubepods/burstable/pod${hash}/${id('a')}`, hash],
    ['a pod in a pod', `0::/kubepods/pod${hash}/${id('b')}/kubepods/pod${uid}/${id('a')}`, uid],
  ])('are known with %s', (_driver, line, pod) => {
    const printed = print([`/proc/12/cgroup:${line}`], [stat(12, 'sh', 777)]);
    expect(parseContainers(printed)).toEqual([{ id: id('a'), pod, started: 777 }]);
  });

  it('started with their first process, whatever the names of processes', () => {
    const line = (pid: number): string => `/proc/${pid}/cgroup:0::/kubepods/pod${uid}/${id('a')}`;
    const stats = [
      stat(1, 'systemd', 1),
      stat(30, 'a) S (b', 900),
      stat(31, 'x\n--\n7 (', 800),
      stat(32, 'c', 850),
    ];
    expect(parseContainers(print([line(30), line(31), line(32), line(99)], stats))).toEqual([
      { id: id('a'), pod: uid, started: 800 },
    ]);
  });

  it('are none where there are none', () => {
    expect(parseContainers(print([], [stat(1, 'init', 5)]))).toEqual([]);
    expect(parseContainers('')).toEqual([]);
  });
});
