import { expect, it } from 'vitest';
import { lookAtServices } from '../cluster/index.ts';
import { createTestCluster } from '../cluster/testing-cluster.ts';
import type { Host } from '../host/index.ts';
import type { MachineSession } from '../session/index.ts';
import { hastyClock } from '../steps/testing-clock.ts';
import { verify } from './verify.ts';

const { signal } = new AbortController();
const hubPort = 10_270;
const kubernetes = { host: '10.96.0.1', port: 443 };
const queued = 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds 7\n';
const synced = 'kubeproxy_sync_proxy_rules_last_timestamp_seconds 7\n';

/** What a machine says of its Services. */
interface Machine {
  answers: boolean;
  /** Of kube-proxy. */
  metrics: string;
  /** How often it was asked for them. */
  looks: number;
}

const hostOf = (machine: Machine): Host => ({
  name: 'till-1',
  async run({ argv }) {
    const said = (stdout: string, exitCode = 0) => ({
      exitCode,
      stdout: Buffer.from(stdout),
      stderr: Buffer.alloc(0),
    });
    if (argv.includes('10249')) return said(machine.metrics, machine.metrics === '' ? 1 : 0);
    if (argv.includes(kubernetes.host)) {
      machine.looks += 1;
      return said('', machine.answers ? 0 : 1);
    }
    if (argv.includes(`${hubPort}`)) return said('', 0);
    if (argv.some((word) => word.includes('kubepods'))) return said('--\n');
    return said('ExecMainStartTimestampMonotonic=1000000\n');
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

const cluster = createTestCluster([{ name: 'till-1', isConverted: () => Promise.resolve(true) }]);

interface Told {
  readonly onNote: (text: string) => void;
  readonly tellsSyncs: boolean;
}

function verified(machine: Machine, { onNote, tellsSyncs }: Told): Promise<unknown> {
  const before = { containers: [], names: {}, unsteady: [], meant: [], services: { kubernetes, tellsSyncs } };
  const verification = {
    node: 'till-1',
    session: { host: hostOf(machine) } as MachineSession,
    layout: {
      kubelet: { unit: 'kubelet.service', kubeconfig: '/k', change: { kind: 'edit' } },
      kubeProxy: { kind: 'daemonset' },
    } as never,
    before,
    hubPort,
    needsLogs: false,
    timeoutMs: 300_000,
  };
  return verify(verification, { cluster, clock: hastyClock(), onNote }, signal);
}

it('a node whose Services answered before and do not any more is no edge node, which is told before its time is over', async () => {
  const notes: string[] = [];
  const machine = { answers: false, metrics: '', looks: 0 };
  const told = { onNote: (text: string) => notes.push(text), tellsSyncs: false };
  await expect(verified(machine, told)).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringContaining('10.96.0.1:443'),
    hint: expect.stringContaining('selvedge check'),
  });
  expect(notes.at(-1)).toContain('10.96.0.1:443');
  expect(machine.looks).toBeGreaterThan(1);
});

it('rules of the kube-proxy before are not taken for those of the new one', async () => {
  const machine = { answers: true, metrics: queued, looks: 0 };
  const onNote = (text: string): void => {
    if (!text.includes('kube-proxy')) return;
    expect(machine.looks).toBe(0);
    machine.metrics = queued + synced;
  };
  await expect(verified(machine, { onNote, tellsSyncs: true })).resolves.toBeDefined();
  expect([machine.metrics, machine.looks]).toEqual([queued + synced, 1]);
});

it('nothing is asked of Services that did not answer before, and of a kube-proxy that told nothing', async () => {
  const service = { spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] } };
  const get = (): Promise<never> => Promise.resolve(service as never);
  const looked = (machine: Omit<Machine, 'looks'>): Promise<unknown> =>
    lookAtServices({ get }, hostOf({ ...machine, looks: 0 }), signal);
  expect(await looked({ answers: false, metrics: queued + synced })).toBeUndefined();
  expect(await looked({ answers: true, metrics: queued })).toEqual({ kubernetes, tellsSyncs: false });
  expect(await looked({ answers: true, metrics: queued + synced })).toEqual({ kubernetes, tellsSyncs: true });
});
