import { SelvedgeError } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import type { Step } from './types.ts';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

const nothing = { kind: 'nothing' } as const;
/** A unit has as long to start and to stop as systemd gives it (`DefaultTimeoutStartSec`), and a little more. */
const timeoutMs = 120_000;

async function systemctl(host: Host, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await host.run({ argv: ['systemctl', ...args], timeoutMs }, signal);
  if (exitCode === 0) return;
  const unit = args.at(-1) ?? '';
  throw new SelvedgeError(`systemctl ${args.join(' ')} on ${host.name}: ${stderr.toString().trim()}`, {
    code: 'Internal',
    hint: `journalctl -u ${unit} on that machine says why`,
  });
}

async function says(host: Host, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  return (await host.run({ argv: ['systemctl', '--quiet', ...args] }, signal)).exitCode === 0;
}

export function reloadExecutor({ host }: ExecutorDeps): Executor<StepOf<'reload'>> {
  const reload = (signal: AbortSignal): Promise<void> => systemctl(host, ['daemon-reload'], signal);
  return {
    look: async () => nothing,
    apply: (_step, _before, signal) => reload(signal),
    undo: (_step, _before, signal) => reload(signal),
  };
}

export function unitExecutor({ host }: ExecutorDeps): Executor<StepOf<'unit'>> {
  return {
    async look({ name }, signal) {
      const enabled = await says(host, ['is-enabled', name], signal);
      const active = await says(host, ['is-active', name], signal);
      return { kind: 'unit', enabled, active };
    },
    async apply({ name }, _before, signal) {
      await systemctl(host, ['enable', '--quiet', name], signal);
      await systemctl(host, ['restart', name], signal);
    },
    async undo({ name }, before, signal) {
      if (before.kind !== 'unit') return;
      if (!before.active) await systemctl(host, ['stop', name], signal);
      if (!before.enabled) await systemctl(host, ['disable', '--quiet', name], signal);
    },
  };
}

export function restartExecutor({ host }: ExecutorDeps): Executor<StepOf<'restart'>> {
  const restart = (name: string, signal: AbortSignal): Promise<void> =>
    systemctl(host, ['restart', name], signal);
  return {
    look: async () => nothing,
    async apply({ name, on }, _before, signal) {
      if (on === 'apply') await restart(name, signal);
    },
    async undo({ name, on }, _before, signal) {
      if (on === 'undo') await restart(name, signal);
    },
  };
}
