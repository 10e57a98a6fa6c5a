import { type ErrorCode, SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { ClusterNode } from '../cluster/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import type { Host } from '../host/index.ts';
import type { Layout } from '../layouts/index.ts';
import { lookAtMachine } from '../revert/machine.ts';
import { type Knowing, survey } from './survey.ts';

const codes = [
  'Unauthenticated',
  'Forbidden',
  'Unavailable',
  'DeadlineExceeded',
  'Conflict',
  'Corrupt',
  'Internal',
  'Invalid',
  'ResourceExhausted',
] as const satisfies readonly ErrorCode[];

const nodeOf = (name: string): ClusterNode => ({
  name,
  uid: name,
  labels: {},
  addresses: [name],
  role: 'worker',
  os: 'linux',
  isLite: false,
  isReady: true,
});
const nodes = [nodeOf('till-1'), nodeOf('till-2')];
const layout = { name: 'kubeadm', role: 'node', nodeName: 'till-2', obstacles: [], converted: false };
const knowing: Knowing = {
  gather: () => Promise.resolve({ arch: 'x86_64' } as NodeFacts),
  recognize: () => ({ kind: 'known', layout: layout as unknown as Layout }),
};
/** Nothing is on it. */
const empty: Host = {
  name: 'till',
  run: () => Promise.resolve({ exitCode: 1, stdout: Buffer.from('absent\n'), stderr: Buffer.alloc(0) }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

describe.each(codes)('a machine that fails with %s', (code) => {
  const { signal } = new AbortController();
  const error = new SelvedgeError('the host key of till-1 is not known', { code, hint: 'compare it' });
  const opened = (name: string): Promise<Host> =>
    name === 'till-1' ? Promise.reject(error) : Promise.resolve(empty);
  const found = { kind: 'refused', why: error.message, hint: 'compare it' };

  it('when it is entered is refused, and the others are not', async () => {
    const hosts = { open: ({ name }: { name: string }) => opened(name) };
    expect(await survey(nodes, { hosts, signal, knowing })).toMatchObject([found, { kind: 'new' }]);
  });

  it('when it is looked at is refused, and the others are not', async () => {
    const hosts = { open: ({ name }: { name: string }) => Promise.resolve({ ...empty, name }) };
    const gather: Knowing['gather'] = (host, within) =>
      host.name === 'till-1' ? Promise.reject(error) : knowing.gather(host, within);
    const deps = { hosts, signal, knowing: { ...knowing, gather } };
    expect(await survey(nodes, deps)).toMatchObject([found, { kind: 'new' }]);
  });

  it('is closed to a revert', async () => {
    const hosts = { open: ({ name }: { name: string }) => opened(name) };
    const closed = { kind: 'closed', message: error.message, hint: 'compare it' };
    expect(await lookAtMachine(nodeOf('till-1'), { hosts, isOffline: false }, signal)).toEqual(closed);
  });
});

it('a survey that is stopped says so of no node', async () => {
  const stop = new AbortController();
  const reason = new SelvedgeError('stopped', { code: 'Aborted' });
  const open = (): Promise<Host> => {
    stop.abort(reason);
    return Promise.reject(new SelvedgeError('the machine is lost', { code: 'Unavailable' }));
  };
  await expect(survey(nodes, { hosts: { open }, signal: stop.signal, knowing })).rejects.toBe(reason);
});
