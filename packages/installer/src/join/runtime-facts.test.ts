import { expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
import { lookAtRuntime } from './runtime-facts.ts';

const { signal } = new AbortController();

/** A machine without a container runtime, whose attempt to connect to the API server ends so. */
const machineOf = (exitCode: number, stderr = ''): Host => ({
  name: 'till-5',
  run: async ({ argv }) => {
    const isAttempt = argv.includes('2001:db8::9') && argv.includes('6443');
    const stdout = Buffer.from(isAttempt ? '' : '\n@@ uid\n0\n');
    return { exitCode: isAttempt ? exitCode : 0, stdout, stderr: Buffer.from(stderr) };
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

it.each([
  ['connects', 0, '', true],
  ['is refused', 1, 'connect: Connection refused', false],
  ['hears nothing', 124, '', false],
  ['has nothing that could tell', 77, '', true],
])('a machine that %s', async (_what, exitCode, stderr, reaches) => {
  const server = new URL('https://[2001:db8::9]:6443');
  const runtime = await lookAtRuntime(machineOf(exitCode, stderr), server, signal);
  expect(runtime).toMatchObject({ uid: 0, reaches });
});
