import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifestFile } from '../egress/manifest.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { applyOn, phasesOn, undoMachine } from './run.ts';
import { egressSteps } from './steps.ts';
import { type TestMachine, createTestMachine, machine, machineDeps } from './testing-machine.ts';

const { signal } = new AbortController();
const sources = (): Promise<never> => Promise.reject(new Error('no sources'));
/** Of cloud-manager as a unit one file is enough. */
const steps = {
  manager: [
    { kind: 'times', paths: ['/etc'] },
    { kind: 'file', path: '/etc/manager', mode: 0o644, content: 'config' },
  ],
  egress: egressSteps(kubeadmManifest),
} as const;

async function convert(on: TestMachine): Promise<void> {
  for (const phase of ['manager', 'egress'] as const) {
    const how = { plan: () => Promise.resolve(steps[phase]), sources };
    await applyOn({ machine, phase }, how, machineDeps(on, signal));
  }
}

const upgraded = (manifest: string): string => manifest.replaceAll('v1.36.3', 'v1.37.0');

describe('a control-plane machine', () => {
  it('is taken back by its own journals, the API server first', async () => {
    await using on = await createTestMachine();
    const before = await on.look();
    await convert(on);
    expect(await readFile(on.at(manifestFile), 'utf8')).toContain('--egress-selector-config-file');
    expect(await phasesOn(on.host, signal)).toEqual(['egress', 'manager']);
    expect(await undoMachine(on.host, machineDeps(on, signal))).toEqual(['egress', 'manager']);
    expect(await on.look()).toEqual(before);
    expect(await undoMachine(on.host, machineDeps(on, signal))).toEqual([]);
  });

  it.each([
    ['as kubeadm does', () => upgraded(kubeadmManifest)],
    ['as kubeadm does with patches that say the same', upgraded],
  ])(
    'whose API server was upgraded since, %s, keeps the new one without an egress selector',
    async (_how, since) => {
      await using on = await createTestMachine();
      await convert(on);
      await writeFile(on.at(manifestFile), since(await readFile(on.at(manifestFile), 'utf8')));
      const kept: string[] = [];
      const onKept = (text: string): number => kept.push(text);
      await undoMachine(on.host, { ...machineDeps(on, signal), onKept });
      expect(kept).toEqual([expect.stringContaining(manifestFile)]);
      expect(await readFile(on.at(manifestFile), 'utf8')).toBe(upgraded(kubeadmManifest));
      expect(await readdir(dirname(on.at(manifestFile)))).toEqual([basename(manifestFile)]);
      expect(await phasesOn(on.host, signal)).toEqual([]);
    },
  );

  it('with a damaged journal is left as it is', async () => {
    await using on = await createTestMachine();
    await convert(on);
    const journal = on.at('/var/lib/selvedge-installer-egress/journal');
    await writeFile(journal, (await readFile(journal, 'utf8')).replace('begun', 'began'));
    await expect(undoMachine(on.host, machineDeps(on, signal))).rejects.toMatchObject({ code: 'Corrupt' });
    expect(await readFile(on.at(manifestFile), 'utf8')).toContain('--egress-selector-config-file');
    expect(await phasesOn(on.host, signal)).toEqual(['egress', 'manager']);
  });

  it('is locked by each run under a name of its own: none takes the lock of another for its own', async () => {
    await using on = await createTestMachine();
    const owners: string[] = [];
    const plan = async (): Promise<readonly []> => {
      owners.push(await readFile(on.at('/var/lib/selvedge-installer-egress/lock'), 'utf8'));
      return [];
    };
    while (owners.length < 2) {
      await applyOn({ machine, phase: 'egress' }, { plan, sources }, machineDeps(on, signal));
      await undoMachine(on.host, machineDeps(on, signal));
    }
    const [first = '', second = ''] = owners.map((text) => text.split('\n')[0]);
    expect(first).toMatch(/^selvedge egress of cp-1, run [0-9a-f]{8}$/);
    expect(second).not.toBe(first);
  });
});
