import { describe, expect, test } from 'vitest';
import { startTuned, tunedCommand } from './tuning.ts';

const tuning = { flags: ['--small'], environment: { MALLOC_ARENA_MAX: '1' } };
const invocation = {
  env: { PATH: '/bin', GONE: undefined },
  execArgv: ['--flag'],
  program: ['main.cjs', 'run'],
};

describe('settings of a process', () => {
  test('are added once, before the program and behind what was given', () => {
    const command = tunedCommand(tuning, invocation);
    expect(command).toEqual({
      args: ['--flag', '--small', 'main.cjs', 'run'],
      env: { PATH: '/bin', MALLOC_ARENA_MAX: '1', SELVEDGE_TUNED: '1' },
    });
    expect(tunedCommand(tuning, { ...invocation, env: command?.env ?? {} })).toBeUndefined();
  });

  test('replace the process, if the system can', () => {
    const started: unknown[] = [];
    const { env, execArgv } = invocation;
    const host = { env, execArgv, argv: ['node', 'main.cjs', 'run'], execPath: '/bin/node' };
    const execve = (...call: unknown[]): never => {
      started.push(call);
      throw new Error('replaced');
    };
    startTuned(tuning, host);
    expect(() => startTuned(tuning, { ...host, execve })).toThrow('replaced');
    const { args, env: tuned } = tunedCommand(tuning, invocation) ?? {};
    expect(started).toEqual([['/bin/node', ['/bin/node', ...(args ?? [])], tuned]]);
  });
});
