import { SelvedgeError } from '@selvedge/kit';
import { nothing } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import { startAnew, systemctl, systemctlSays, unitStatus } from './systemd.ts';
import type { Step } from './types.ts';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

const pauseMs = 500;

export function reloadExecutor({ host }: ExecutorDeps): Executor<StepOf<'reload'>> {
  const reload = (signal: AbortSignal): Promise<void> => systemctl(host, ['daemon-reload'], signal);
  return {
    look: async () => nothing,
    apply: (_step, _before, signal) => reload(signal),
    undo: (_step, _before, signal) => reload(signal),
  };
}

export function unitExecutor(deps: ExecutorDeps): Executor<StepOf<'unit'>> {
  const { host } = deps;
  return {
    async look({ name }, signal) {
      const enabled = await systemctlSays(host, ['is-enabled', name], signal);
      const { active, invocation } = await unitStatus(host, name, signal);
      return { kind: 'unit', enabled, active: active === 'active', invocation };
    },
    async apply({ name }, before, signal) {
      await systemctl(host, ['enable', '--quiet', name], signal);
      await startAnew(deps, { name, old: before.kind === 'unit' ? before.invocation : '' }, signal);
    },
    async undo({ name }, before, signal) {
      if (before.kind !== 'unit') return;
      if (!before.active) await systemctl(host, ['stop', name], signal);
      if (!before.enabled) await systemctl(host, ['disable', '--quiet', name], signal);
      // Else systemd would list it as failed when nothing of it is there any more.
      if (!before.active) await systemctlSays(host, ['reset-failed', name], signal);
    },
  };
}

export function restartExecutor(deps: ExecutorDeps): Executor<StepOf<'restart'>> {
  const { host } = deps;
  return {
    async look({ name }, signal) {
      return { kind: 'invocation', id: (await unitStatus(host, name, signal)).invocation };
    },
    async apply({ name, on }, before, signal) {
      if (on === 'apply' && before.kind === 'invocation') {
        await startAnew(deps, { name, old: before.id }, signal);
      }
    },
    async undo({ name, on }, before, signal) {
      if (on !== 'undo' || before.kind !== 'invocation') return;
      const { invocation } = await unitStatus(host, name, signal);
      // It has run since before the first change: it never read one.
      if (invocation === before.id) return;
      await startAnew(deps, { name, old: invocation }, signal);
    },
  };
}

export function awaitExecutor({ host, files, clock }: ExecutorDeps): Executor<StepOf<'await'>> {
  return {
    look: async () => nothing,
    async apply({ path, unit, timeoutMs }, _before, signal) {
      const until = clock.monotonicMs() + timeoutMs;
      while ((await files.look(path, signal)).kind === 'absent') {
        if (clock.monotonicMs() >= until) {
          throw new SelvedgeError(`${path} did not appear on ${host.name} within ${timeoutMs / 1_000} s`, {
            code: 'DeadlineExceeded',
            hint: `see the log of what makes it: journalctl -u ${unit} on that machine`,
          });
        }
        await clock.sleep(pauseMs, signal);
      }
    },
    undo: () => Promise.resolve(),
  };
}
