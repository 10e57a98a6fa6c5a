import { systemClock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { unitExecutor } from './unit-steps.ts';

const { signal } = new AbortController();

it('a unit that failed is in no list of systemd after it was taken back', async () => {
  const ran: string[] = [];
  const host: Host = {
    name: 'shop-1',
    async run({ argv }) {
      ran.push(argv.filter((word) => !word.startsWith('-')).join(' '));
      return { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const sources = (): Promise<never> => Promise.reject(new Error('nothing is sent'));
  const executor = unitExecutor({
    host,
    files: createHostFiles(host),
    run: 'r1',
    clock: systemClock,
    sources,
  });
  const name = 'edge-lite.service';
  await executor.undo(
    { kind: 'unit', name },
    { kind: 'unit', enabled: false, active: false, invocation: '' },
    signal,
  );
  expect(ran).toEqual([
    `systemctl stop ${name}`,
    `systemctl disable ${name}`,
    `systemctl reset-failed ${name}`,
  ]);
  await executor.undo(
    { kind: 'unit', name },
    { kind: 'unit', enabled: true, active: true, invocation: 'a' },
    signal,
  );
  expect(ran).toHaveLength(3);
});
