import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { beforeEach, expect, test } from 'vitest';
import type { Progress } from '../../command/index.ts';
import type { Machine } from '../../host/index.ts';
import { noSources } from '../../steps/index.ts';
import { manifestFile } from '../egress/manifest.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import type { Inventory } from '../inventory/index.ts';
import { applyOn, phasesOn } from '../machine/run.ts';
import { egressSteps } from '../machine/steps.ts';
import { type TestMachine, createTestMachine, machine, machineDeps } from '../machine/testing-machine.ts';
import type { CloudDeps } from '../types.ts';
import { lookAtCloudUndo } from './look.ts';
import { planCloudUndo } from './plan.ts';
import { undoCloud } from './undo.ts';

const { signal } = new AbortController();
const notes: string[] = [];
beforeEach(() => void notes.splice(0));
const progress: Progress = { task: (_title, work) => work(progress), note: (text) => void notes.push(text) };

/** A cluster with the inventory of one control plane, whose Node was deleted. */
function clusterWithoutNode(
  { name, addresses } = machine,
  node?: string,
  status?: object,
): {
  readonly cluster: object;
  readonly stored: () => Inventory;
} {
  const phases = ['manager', 'egress'] as const;
  const entries = phases.map((phase) => ({ kind: 'machine' as const, phase, name, addresses }));
  const first: Inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries };
  const key = 'inventory.json';
  let data = { [key]: JSON.stringify(first) };
  const cluster = {
    async get(_resource: object, at: { readonly name: string }) {
      if (at.name !== 'selvedge-install' && at.name !== node)
        throw new SelvedgeError('not found', { code: 'NotFound' });
      return { metadata: at, data, status };
    },
    async replace(_resource: object, object: KubeObject & { readonly data: typeof data }) {
      ({ data } = object);
      return object;
    },
    listAll: async () => ({ items: [] }),
  };
  return { cluster, stored: () => JSON.parse(data[key] ?? '') as Inventory };
}

/** The machine as it is after a conversion. */
async function converted(on: TestMachine): Promise<void> {
  const steps = { manager: [], egress: egressSteps(kubeadmManifest) };
  for (const phase of ['manager', 'egress'] as const) {
    const plan = async () => steps[phase];
    await applyOn({ machine, phase }, { plan, sources: noSources }, machineDeps(on, signal));
  }
}

async function undo(deps: object): Promise<readonly string[]> {
  const all = deps as CloudDeps;
  return undoCloud(planCloudUndo({ keepData: false }, await lookAtCloudUndo(all)), all);
}

test('a control plane that was removed from the cluster is taken back where its machine still is, and not waited for', async () => {
  await using on = await createTestMachine();
  const before = await on.look();
  await converted(on);
  const { cluster, stored } = clusterWithoutNode();
  expect(await undo({ ...machineDeps(on, signal), cluster, progress })).toEqual([]);
  expect(await on.look()).toEqual(before);
  expect(stored().entries).toEqual([]);
});

test('a control plane whose machine is gone holds nothing up, and what stays is told once', async () => {
  await using on = await createTestMachine();
  const { cluster, stored } = clusterWithoutNode();
  let tries = 0;
  const hosts = {
    async open() {
      tries += 1;
      throw new SelvedgeError('connect timed out', { code: 'Unavailable' });
    },
  };
  const left = await undo({ ...machineDeps(on, signal), hosts, cluster, progress });
  expect(left).toEqual([
    expect.stringMatching(/^cp-1 .*connect timed out.* --offline --nodes cp-1=10\.60\.0\.1$/),
  ]);
  expect([notes, tries]).toEqual([left, 1]);
  expect(stored()).toMatchObject({ complete: false, entries: [{ name: 'cp-1' }, { name: 'cp-1' }] });
});

test('what stays on a control plane that was removed is tried again, and told again, by the run after Ctrl-C', async () => {
  await using on = await createTestMachine();
  const before = await on.look();
  await converted(on);
  const { cluster } = clusterWithoutNode();
  const hosts = {
    open: () => Promise.reject(new SelvedgeError('connect timed out', { code: 'Unavailable' })),
  };
  const deps = { ...machineDeps(on, signal), cluster, progress };
  const stopping = new AbortController();
  const note = (): void => stopping.abort(new SelvedgeError('stopped', { code: 'Aborted' }));
  const stopped = { ...deps, hosts, progress: { ...progress, note }, signal: stopping.signal };
  await expect(undo(stopped)).rejects.toMatchObject({ code: 'Aborted' });
  expect(await undo({ ...deps, hosts })).toEqual([expect.stringMatching(/^cp-1 .*connect timed out/)]);
  expect(await undo(deps)).toEqual([]);
  expect(await on.look()).toEqual(before);
});

test('a control plane that is in the cluster and cannot be reached is not left, and what helps is told', async () => {
  await using on = await createTestMachine();
  const { cluster, stored } = clusterWithoutNode(machine, machine.name);
  const hosts = {
    open: () => Promise.reject(new SelvedgeError('connect timed out', { code: 'Unavailable' })),
  };
  const back = undo({ ...machineDeps(on, signal), hosts, cluster, progress });
  await expect(back).rejects.toMatchObject({
    code: 'Unavailable',
    message: 'connect timed out',
    hint: expect.stringMatching(/ --address cp-1=ADDRESS; .*kubectl delete node cp-1/),
  });
  expect(stored().entries).toHaveLength(2);
});

test('a control plane that was reset, and is in the cluster still, is told by its API server that does not come', async () => {
  await using on = await createTestMachine();
  await converted(on);
  const { cluster } = clusterWithoutNode(machine, machine.name);
  const timeouts = { readyMs: 1, apiServerMs: 1, takenBackMs: 1 };
  const back = undo({ ...machineDeps(on, signal), cluster, progress, timeouts });
  await expect(back).rejects.toMatchObject({
    code: 'DeadlineExceeded',
    hint: expect.stringMatching(
      /crictl logs.*; if cp-1 is at another.*; if cp-1 is gone for good: kubectl delete node cp-1/,
    ),
  });
});

test('a control plane that has another address by now is entered at that one', async () => {
  await using on = await createTestMachine();
  const addresses = [{ type: 'InternalIP', address: '10.60.0.9' }];
  const { cluster } = clusterWithoutNode(machine, machine.name, { addresses });
  const tried: string[] = [];
  const hosts = {
    async open(one: Machine) {
      tried.push(...one.addresses);
      throw new SelvedgeError('connect timed out', { code: 'Unavailable' });
    },
  };
  const back = undo({ ...machineDeps(on, signal), hosts, cluster, progress });
  await expect(back).rejects.toMatchObject({ code: 'Unavailable' });
  expect(tried).toEqual(['10.60.0.9']);
});

test('at the address of a control plane that was removed, another one is left alone', async () => {
  await using on = await createTestMachine();
  await converted(on);
  const { cluster } = clusterWithoutNode({ ...machine, name: 'cp-9' });
  const left = await undo({ ...machineDeps(on, signal), cluster, progress });
  expect(left).toEqual([
    expect.stringMatching(/^cp-9 .*another one: .*egress of cp-1;.* --nodes cp-9=ADDRESS$/),
  ]);
  expect(await readFile(on.at(manifestFile), 'utf8')).toContain('--egress-selector-config-file');
  expect(await phasesOn(machine, on.host, signal)).toEqual(['egress', 'manager']);
});

test('Ctrl-C while a machine that may be gone is tried is none of its answers', async () => {
  await using on = await createTestMachine();
  const { cluster, stored } = clusterWithoutNode();
  const stopping = new AbortController();
  const hosts = {
    async open() {
      stopping.abort(new SelvedgeError('stopped', { code: 'Aborted' }));
      throw new SelvedgeError('connect timed out', { code: 'Unavailable' });
    },
  };
  const back = undo({ ...machineDeps(on, stopping.signal), hosts, cluster, progress });
  await expect(back).rejects.toMatchObject({ code: 'Aborted' });
  expect(stored().entries).toHaveLength(2);
});
