import { describe, expect, test } from 'vitest';
import { startTuned, tunedCommand } from './tuning.ts';

const tuning = { flags: ['--small'], environment: { MALLOC_ARENA_MAX: '1' } };
const invocation = {
  env: { PATH: '/bin', GONE: undefined },
  execArgv: ['--flag'],
  argv: ['/bin/node', 'main.cjs', 'run'],
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

  test('of a single executable are in it, and its arguments are its own', () => {
    const argv = ['/bin/agent', '/bin/agent', 'run', '--flag'];
    const command = tunedCommand(tuning, { ...invocation, argv, single: true });
    expect(command?.args).toEqual(['run', '--flag']);
    expect(command?.env).toMatchObject(tuning.environment);
  });

  test('replace the process, if the system can', () => {
    const started: unknown[] = [];
    const host = { ...invocation, execPath: '/bin/node' };
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
