import type { Argv } from '../host/index.ts';
import { nothing } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import { runOrThrow } from './run-or-throw.ts';
import type { LeftoverStep, Step } from './types.ts';

type TimesStep = Extract<Step, { kind: 'times' }>;

export function timesExecutor({ files }: ExecutorDeps): Executor<TimesStep> {
  return {
    look: async ({ paths }, signal) => ({ kind: 'times', times: await files.times(paths, signal) }),
    apply: () => Promise.resolve(),
    async undo(_step, before, signal) {
      if (before.kind === 'times') await files.setTimes(before.times, signal);
    },
  };
}

/** How each kind is seen (it is there if that prints something) and taken away. */
const leftovers: {
  readonly [K in LeftoverStep['what']]: Readonly<Record<'show' | 'remove', (name: string) => Argv>>;
} = {
  address: {
    show: (name) => ['ip', '-o', 'address', 'show', 'dev', 'lo', 'to', name],
    remove: (name) => ['ip', 'address', 'del', `${name}/32`, 'dev', 'lo'],
  },
  table: {
    show: (name) => ['nft', 'list', 'table', ...name.split(' ')],
    remove: (name) => ['nft', 'delete', 'table', ...name.split(' ')],
  },
  link: {
    show: (name) => ['ip', '-o', 'link', 'show', 'dev', name],
    remove: (name) => ['ip', 'link', 'delete', 'dev', name],
  },
  file: {
    show: (name) => ['find', name, '-maxdepth', '0'],
    remove: (name) => ['rm', '-f', '--', name],
  },
};

export function leftoverExecutor({ host }: ExecutorDeps): Executor<LeftoverStep> {
  const isThere = async ({ what, name }: LeftoverStep, signal: AbortSignal): Promise<boolean> => {
    const { exitCode, stdout } = await host.run({ argv: leftovers[what].show(name) }, signal);
    return exitCode === 0 && stdout.length > 0;
  };
  return {
    look: async (step, signal) => ((await isThere(step, signal)) ? { kind: 'there' } : nothing),
    apply: () => Promise.resolve(),
    async undo(step, before, signal) {
      if (before.kind === 'there' || !(await isThere(step, signal))) return;
      await runOrThrow(host, { argv: leftovers[step.what].remove(step.name) }, signal);
    },
  };
}
