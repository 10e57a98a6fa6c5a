import { expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
import { startOf } from './kubelet-start.ts';

const { signal } = new AbortController();
const hostThat = (exitCode: number, stdout: string): Host => ({
  name: 'shop-1',
  run: async () => ({ exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from('no bus') }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});
const said = (started: number): string =>
  `ExecMainStartTimestampMonotonic=${started}\n100.50 180.00\n1767225600\n`;

it('a kubelet was started when its machine says so, to the second before', async () => {
  expect(await startOf(hostThat(0, said(90_000_000)), 'kubelet.service', signal)).toBe(1_767_225_589_000);
});

it('a kubelet that does not run was not started', async () => {
  expect(await startOf(hostThat(0, said(0)), 'kubelet.service', signal)).toBeUndefined();
});

it('a kubelet of which systemd says nothing is not taken for one that does not run', async () => {
  await expect(startOf(hostThat(1, ''), 'kubelet.service', signal)).rejects.toMatchObject({
    code: 'Unavailable',
    message: 'systemctl show kubelet.service on shop-1: no bus',
  });
});
