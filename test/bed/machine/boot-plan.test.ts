import { describe, expect, it } from 'vitest';
import { type BootOptions, type BootStep, bootPlan, offlinePlan, onlinePlan } from './boot-plan.ts';

const options: BootOptions = {
  disk: {
    base: '/cache/base',
    upper: '/disk/upper',
    work: '/disk/work',
    root: '/disk/root',
    volumes: { '/var/lib/containerd': '/disk/volumes/containerd' },
    programs: { '/opt/agent': '/build/agent' },
  },
  cgroup: 'bed/m1',
  hierarchies: [
    { type: 'cgroup', folder: '/sys/fs/cgroup/cpu', name: 'cpu', options: ['cpu'] },
    { type: 'cgroup', folder: '/sys/fs/cgroup/systemd', name: 'systemd', options: ['none', 'name=systemd'] },
  ],
  bootId: '8d1e7d5c-0000-4000-8000-000000000000',
  devices: ['/dev/null', '/dev/kmsg', '/dev/net/tun'],
  env: { MARK: 'bed/m1/' },
};

const tables = (steps: readonly BootStep[]): string[] =>
  steps.flatMap((step) => (step.kind === 'mount' ? [step.table] : []));
const commands = (steps: readonly BootStep[]): string[] =>
  steps.flatMap((step) => (step.kind === 'run' ? [step.argv.join(' ')] : []));

describe('bootPlan', () => {
  const { steps, exec } = bootPlan(options);

  it('joins the cgroup of every hierarchy before anything else', () => {
    expect(steps.slice(0, 2)).toEqual([
      { kind: 'join', folder: '/sys/fs/cgroup/cpu/bed/m1' },
      { kind: 'join', folder: '/sys/fs/cgroup/systemd/bed/m1' },
    ]);
    expect(steps.slice(2).some((step) => step.kind === 'join')).toBe(false);
  });

  it('mounts the root first, then what is kept outside of the overlay', () => {
    expect(tables(steps)[0]?.split('\n').slice(0, 2)).toEqual([
      'overlay /disk/root overlay lowerdir=/cache/base,upperdir=/disk/upper,workdir=/disk/work,X-mount.mkdir 0 0',
      '/disk/volumes/containerd /disk/root/var/lib/containerd none bind,X-mount.mkdir 0 0',
    ]);
  });

  it('mounts programs last and read-only, so that nothing in memory hides them', () => {
    expect(tables(steps)[0]?.trimEnd().split('\n').at(-1)).toBe(
      '/build/agent /disk/root/opt/agent none ro,bind,X-mount.mkdir 0 0',
    );
  });

  it('mounts the cgroups in a cgroup namespace, and systemd lives in one', () => {
    const inNamespace = steps.filter((step) => step.kind === 'mount' && step.argv.includes('--cgroup'));
    expect(tables(inNamespace)[0]).toContain(
      'cgroup /disk/root/sys/fs/cgroup/systemd cgroup none,name=systemd,',
    );
    expect(exec.argv.slice(0, 2)).toEqual(['/usr/bin/unshare', '--cgroup']);
  });

  it('gives the machine a boot id of its own', () => {
    const written = steps.find((step) => step.kind === 'file');
    expect(written).toMatchObject({ content: `${options.bootId}\n` });
    expect(tables(steps)[1]).toContain(
      `${written?.path} /disk/root/proc/sys/kernel/random/boot_id none ro,bind,`,
    );
  });

  it('copies devices, each into the folder where the host has it', () => {
    expect(commands(steps)).toEqual([
      'mkdir --parents /disk/root/dev',
      'cp --archive -- /dev/null /dev/kmsg /disk/root/dev',
      'mkdir --parents /disk/root/dev/net',
      'cp --archive -- /dev/net/tun /disk/root/dev/net',
      'pivot_root /disk/root /disk/root/mnt',
      'umount --lazy /mnt',
      'mount --make-rshared /',
    ]);
  });

  it('leaves the host behind at the very end', () => {
    expect(commands(steps.slice(-2))).toHaveLength(2);
    expect(exec.env).toMatchObject({ container: 'selvedge', MARK: 'bed/m1/' });
  });
});

describe('programs in a machine', () => {
  it('see nothing but the disk while it is off', () => {
    const plan = offlinePlan(options.disk, ['ls', '/']);
    expect(tables(plan.steps)[0]).not.toContain('cgroup');
    expect(plan.exec.argv).toEqual(['/usr/sbin/chroot', '/disk/root', 'ls', '/']);
  });

  it('join its cgroups while it is on', () => {
    const plan = onlinePlan(options, ['/usr/bin/nsenter', '--target=7', '--', 'ls']);
    expect(plan.steps.map((step) => step.kind)).toEqual(['join', 'join']);
    expect(plan.exec.env).not.toHaveProperty('MARK');
  });
});
