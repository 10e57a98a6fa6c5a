import { access, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runName, waitFor } from '@selvedge/bed';
import { type Machine, type MachineOptions, createMachine, provideBaseRoot } from '@selvedge/bed/machine';
import { processSetup, run, runUnchecked } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const name = 'e2e-machine';
const namespace = `${runName()}.machine`;
const cgroup = `${runName()}.machine`;

async function removeNetwork(): Promise<void> {
  await runUnchecked({ argv: ['ip', 'netns', 'del', namespace] });
}

async function renewNetwork(): Promise<void> {
  await removeNetwork();
  await run({ argv: ['ip', 'netns', 'add', namespace] });
  await run({ argv: ['ip', '-n', namespace, 'link', 'set', 'lo', 'up'] });
}

/** Everything of a machine that the kernel knows by its names. */
async function traces(folder: string): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(folder));
  const hierarchies = (await readdir('/sys/fs/cgroup')).map((each) => `/sys/fs/cgroup/${each}/${cgroup}`);
  const there = await Promise.all(
    [...hierarchies, folder].map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  const processes = await runUnchecked({ argv: ['pgrep', '--full', '--list-full', folder] });
  return [...mounts, ...there.flat(), ...processes.stdout.split('\n').filter((line) => line !== '')];
}

const stopMark = '/root/stopped-in-order';

const greeter = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/echo good morning
ExecStop=/bin/touch ${stopMark}

[Install]
WantedBy=multi-user.target
`;

const broken = `[Service]
ExecStart=/bin/false

[Install]
WantedBy=multi-user.target
`;

describe('a machine', () => {
  let folder: string;
  let base: string;
  let machine: Machine;
  const options = (): MachineOptions => ({ name, namespace, cgroup, folder, base, node: process.execPath });
  const inside = async (...argv: [string, ...string[]]): Promise<string> =>
    (await machine.exec(argv)).stdout.trim();

  beforeAll(async () => {
    const setup = processSetup();
    await setup.packages();
    base = await provideBaseRoot(setup);
    folder = await mkdtemp(join(tmpdir(), 'selvedge-machine-'));
    machine = createMachine(options(), { clock: systemClock, renewNetwork });
    await machine.powerOn();
  });

  afterAll(async () => {
    await machine.remove();
    await removeNetwork();
    await rm(folder, { recursive: true, force: true });
  });

  it('boots until systemd says that it is running', async () => {
    expect(await inside('systemctl', 'is-system-running')).toBe('running');
    expect(await inside('cat', '/proc/1/comm')).toBe('systemd');
    expect(await inside('hostname')).toBe(name);
  });

  it('runs programs in its own cgroups and without the environment of the host', async () => {
    const cgroups = (await inside('cat', '/proc/self/cgroup')).split('\n');
    expect(cgroups.filter((line) => !line.endsWith(':/'))).toEqual([]);
    const variables = (await inside('env')).split('\n').map((line) => line.split('=')[0]);
    expect(variables).toEqual(['PATH', 'HOME', 'LANG', 'TERM']);
  });

  it('reports the exit code of a program', async () => {
    expect((await machine.execUnchecked(['ls', '/nowhere'])).exitCode).toBe(2);
    await expect(machine.exec(['ls', '/nowhere'])).rejects.toThrow('/nowhere');
  });

  it('ends a program whose signal aborts', async () => {
    const abort = new AbortController();
    const running = machine.exec(['sleep', '3600'], { signal: abort.signal });
    await waitFor({ what: 'sleep' }, systemClock, async () => (await inside('pgrep', 'sleep')) !== '');
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    const count = async (): Promise<string> =>
      (await machine.execUnchecked(['pgrep', '--count', 'sleep'])).stdout.trim();
    await waitFor({ what: 'end of sleep' }, systemClock, async () => (await count()) === '0');
  });

  it('runs containerd as a unit', async () => {
    expect(await inside('systemctl', 'is-active', 'containerd')).toBe('active');
    expect(await inside('ctr', 'version')).toContain('Server:');
  });

  it('lets root log in by SSH with a key, under its own host key', async () => {
    await inside('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/root/key');
    const key = await machine.readFile('/root/key.pub');
    const known = `localhost ${await machine.sshHostKey()}`;
    await machine.writeFiles([
      { kind: 'file', path: 'root/.ssh/authorized_keys', content: key, mode: 0o600 },
      { kind: 'file', path: 'root/.ssh/known_hosts', content: known },
    ]);
    expect(await inside('ssh', '-o', 'BatchMode=yes', '-i', '/root/key', 'localhost', 'hostname')).toBe(name);
  });

  it('writes through its own root, links included', async () => {
    await inside('mkdir', '/root/aimed');
    await inside('ln', '--symbolic', '/root/aimed', '/srv/link');
    await machine
      .writeFiles([{ kind: 'file', path: 'srv/link/file', content: 'text', mode: 0o640 }])
      .catch(() => undefined);
    await inside('mkdir', '--parents', '/root/aimed');
    await machine.writeFiles([{ kind: 'file', path: 'srv/link/file', content: 'text', mode: 0o640 }]);
    expect(await machine.readFile('/root/aimed/file')).toBe('text');
    expect(await inside('stat', '--format=%a %U', '/root/aimed/file')).toBe('640 root');
  });

  it('runs a unit and keeps its log', async () => {
    await machine.installUnit({ name: 'greeter.service', text: greeter });
    await waitFor({ what: 'greeting' }, systemClock, async () =>
      (await machine.logs('greeter')).includes('good morning'),
    );
  });

  it('comes back from a power cut with its disk and nothing else', async () => {
    const bootId = await inside('cat', '/proc/sys/kernel/random/boot_id');
    for (const path of ['/root/kept', '/var/lib/containerd/kept', '/run/lost', '/tmp/lost'])
      await inside('touch', path);
    await machine.powerCut();
    expect(await machine.isOn()).toBe(false);
    expect(await traces(folder)).toEqual([folder]);
    await machine.powerOn();
    await inside('ls', '/root/kept', '/var/lib/containerd/kept');
    expect((await machine.execUnchecked(['ls', '/run/lost', '/tmp/lost'])).stdout).toBe('');
    expect((await machine.execUnchecked(['ls', stopMark])).exitCode).not.toBe(0);
    expect(await inside('cat', '/proc/sys/kernel/random/boot_id')).not.toBe(bootId);
    expect(await inside('systemctl', 'is-active', 'greeter')).toBe('active');
    expect((await machine.logs('greeter')).match(/good morning/g)).toHaveLength(2);
  });

  it('stops its units in order when it reboots', async () => {
    await inside('touch', '/run/lost');
    await machine.reboot();
    await inside('ls', '/root/kept', stopMark);
    expect((await machine.execUnchecked(['ls', '/run/lost'])).exitCode).not.toBe(0);
    expect(await inside('systemctl', 'is-system-running')).toBe('running');
  });

  it('shows and changes its disk while it is off', async () => {
    await machine.powerOff();
    expect(await machine.isOn()).toBe(false);
    await machine.writeFiles([{ kind: 'file', path: 'root/written-while-off', content: 'text' }]);
    expect(await machine.readFile('/root/written-while-off')).toBe('text');
    await expect(machine.argv(['true'])).rejects.toThrow('off');
    await machine.powerOn();
    expect(await machine.readFile('/root/written-while-off')).toBe('text');
  });

  it('names the unit that keeps it from running', async () => {
    await machine.powerOff();
    await machine.installUnit({ name: 'broken.service', text: broken });
    await expect(machine.powerOn()).rejects.toThrow('broken.service');
    await inside('systemctl', 'disable', 'broken.service');
    await machine.reboot();
  });

  it('is the same machine to another process that knows its names', async () => {
    const other = createMachine(options(), { clock: systemClock, renewNetwork });
    expect(await other.isOn()).toBe(true);
    await other.remove();
    expect(await traces(folder)).toEqual([]);
    expect(await machine.isOn()).toBe(false);
    await other.remove();
  });
});
