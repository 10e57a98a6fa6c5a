import { SelvedgeError } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import { nothing, nothingAt } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import type { ImagesStep, PodsStep, SecretStep, SysctlStep } from './lite-types.ts';
import { runOrThrow } from './run-or-throw.ts';

const setSysctl = `printf '%s\\n' "$2" > "$1"`;

/** By parameter: prints which links of others rely on it meanwhile. */
const usersOf: Readonly<Record<string, string>> = {
  // Ours has gone before. Docker and libvirt set the parameter at their start alone, if it is not set already.
  'net/ipv4/ip_forward': `for bridge in /sys/class/net/*/bridge; do [ -d "$bridge" ] && basename "$(dirname "$bridge")"; done; true`,
};

export function sysctlExecutor({ host, onNote }: ExecutorDeps): Executor<SysctlStep> {
  const read = async (name: string, signal: AbortSignal): Promise<string> =>
    (await runOrThrow(host, { argv: ['cat', `/proc/sys/${name}`] }, signal)).trim();
  const set = async (name: string, value: string, signal: AbortSignal): Promise<void> => {
    if ((await read(name, signal)) === value) return;
    await runOrThrow(host, { argv: ['sh', '-c', setSysctl, 'sh', `/proc/sys/${name}`, value] }, signal);
  };
  return {
    look: async ({ name }, signal) => ({ kind: 'value', value: await read(name, signal) }),
    apply: ({ name, value }, _before, signal) => set(name, value, signal),
    async undo({ name, value }, before, signal) {
      if (before.kind !== 'value' || before.value === value) return;
      const script = usersOf[name];
      const users =
        script === undefined ? '' : await runOrThrow(host, { argv: ['sh', '-c', script] }, signal);
      if (users.trim() === '') return set(name, before.value, signal);
      const links = users.trim().split('\n').join(', ');
      onNote?.(
        `${name.replaceAll('/', '.')} stays ${value}, which the bridge ${links} of somebody else may need; it was ${before.value}`,
      );
    },
  };
}

/** The number of a group of the machine. Source: getent(1). */
async function gidOf(host: Host, group: string, signal: AbortSignal): Promise<number> {
  const line = await runOrThrow(host, { argv: ['getent', 'group', group] }, signal);
  return Number(line.split(':')[2]);
}

export function secretExecutor({ host, files, sources }: ExecutorDeps): Executor<SecretStep> {
  return {
    look: ({ path }, signal) => nothingAt(path, files, signal),
    async apply({ path, source, mode = 0o600, group }, _before, signal) {
      const owner = { uid: 0, gid: group === undefined ? 0 : await gidOf(host, group, signal) };
      await files.write(path, { content: await sources(source, signal), mode, owner }, signal);
    },
    undo: ({ path }, _before, signal) => files.remove(path, signal),
  };
}

/** Containers end in their own time, up to half a minute, and the runtime takes some for each. */
const clearTimeoutMs = 300_000;

export function podsExecutor({ host, files }: ExecutorDeps): Executor<PodsStep> {
  return {
    look: async () => nothing,
    apply: () => Promise.resolve(),
    async undo({ program, config }, _before, signal) {
      // Without them it never ran.
      for (const path of [program, config]) {
        if ((await files.look(path, signal)).kind === 'absent') return;
      }
      const argv = [program, 'clear', '--config', config] as const;
      await runOrThrow(host, { argv, timeoutMs: clearTimeoutMs }, signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw new SelvedgeError(`cannot stop the pods on ${host.name}`, {
          code: 'Unavailable',
          cause,
          hint: 'containerd must be running: systemctl start containerd, then run the same command again',
        });
      });
    },
  };
}

export function imagesExecutor({ host }: ExecutorDeps): Executor<ImagesStep> {
  const list = async (namespace: string, signal: AbortSignal): Promise<readonly string[]> => {
    const argv = ['ctr', '--namespace', namespace, 'images', 'list', '--quiet'] as const;
    return (await runOrThrow(host, { argv }, signal)).split('\n').filter((name) => name !== '');
  };
  return {
    look: async ({ namespace }, signal) => ({ kind: 'images', names: await list(namespace, signal) }),
    apply: () => Promise.resolve(),
    async undo({ namespace }, before, signal) {
      if (before.kind !== 'images') return;
      const pulled = (await list(namespace, signal)).filter((name) => !before.names.includes(name));
      if (pulled.length === 0) return;
      await runOrThrow(
        host,
        { argv: ['ctr', '--namespace', namespace, 'images', 'remove', '--sync', ...pulled] },
        signal,
      );
    },
  };
}
