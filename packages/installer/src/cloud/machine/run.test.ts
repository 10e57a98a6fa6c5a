import { createHash } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { aborted, hasCode } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { createHostFiles } from '../../files/index.ts';
import { manifestFile } from '../egress/manifest.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { applyOn, phasesOn, runStateOf, undoMachine } from './run.ts';
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
    expect(await phasesOn(machine, on.host, signal)).toEqual(['egress', 'manager']);
    expect(await undoMachine(machine, on.host, machineDeps(on, signal))).toEqual(['egress', 'manager']);
    expect(await on.look()).toEqual(before);
    expect(await undoMachine(machine, on.host, machineDeps(on, signal))).toEqual([]);
  });

  it('that is another one than was named is left as it is, whichever of its journals says so', async () => {
    await using on = await createTestMachine();
    await convert(on);
    const another = { ...machine, name: 'cp-9' };
    const refused = { code: 'Conflict', message: /another one: .*egress of cp-1/, hint: /--address cp-9=/ };
    const after = await on.look();
    await expect(undoMachine(another, on.host, machineDeps(on, signal))).rejects.toMatchObject(refused);
    expect(await on.look()).toEqual(after);
    await rm(on.at('/var/lib/selvedge-installer-egress'), { recursive: true });
    await expect(phasesOn(another, on.host, signal)).rejects.toMatchObject({ message: /manager of cp-1/ });
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
      await undoMachine(machine, on.host, { ...machineDeps(on, signal), onKept });
      expect(kept).toEqual([expect.stringContaining(manifestFile)]);
      expect(await readFile(on.at(manifestFile), 'utf8')).toBe(upgraded(kubeadmManifest));
      expect(await readdir(dirname(on.at(manifestFile)))).toEqual([basename(manifestFile)]);
      expect(await phasesOn(machine, on.host, signal)).toEqual([]);
    },
  );

  it('with a damaged journal is left as it is', async () => {
    await using on = await createTestMachine();
    await convert(on);
    const journal = on.at('/var/lib/selvedge-installer-egress/journal');
    await writeFile(journal, (await readFile(journal, 'utf8')).replace('begun', 'began'));
    await expect(undoMachine(machine, on.host, machineDeps(on, signal))).rejects.toMatchObject({
      code: 'Corrupt',
    });
    expect(await readFile(on.at(manifestFile), 'utf8')).toContain('--egress-selector-config-file');
    expect(await phasesOn(machine, on.host, signal)).toEqual(['egress', 'manager']);
  });

  it('whose journal tells nothing any more is left as it is', async () => {
    await using on = await createTestMachine();
    await convert(on);
    await writeFile(on.at('/var/lib/selvedge-installer-egress/journal'), '');
    const back = undoMachine(machine, on.host, machineDeps(on, signal));
    await expect(back).rejects.toMatchObject({ code: 'Corrupt', message: /kube-apiserver.yaml/ });
    expect(await readFile(on.at(manifestFile), 'utf8')).toContain('--egress-selector-config-file');
    expect(await phasesOn(machine, on.host, signal)).toEqual(['egress', 'manager']);
  });

  it.each([
    ['manager', 'is left, and gone on with by the next run'],
    ['egress', 'is ended, for who waits to take it back'],
  ] as const)('whose phase %s is under way when a person stops: it %s', async (phase, _what) => {
    await using on = await createTestMachine();
    const stopping = new AbortController();
    const content = 'a program';
    const sha256 = createHash('sha256').update(content).digest('hex');
    const upload = { kind: 'upload', path: '/etc/program', mode: 0o755, source: 'program', sha256 } as const;
    const how = {
      plan: () => Promise.resolve([{ kind: 'times', paths: ['/etc'] } as const, upload]),
      sources: () => {
        stopping.abort(aborted('selvedge'));
        return Promise.resolve(Buffer.from(content));
      },
    };
    const first = applyOn({ machine, phase }, how, machineDeps(on, stopping.signal));
    const isStopped = await first.then(
      () => false,
      (error: unknown) => hasCode(error, 'Aborted'),
    );
    expect(isStopped).toBe(phase === 'manager');
    const files = createHostFiles(on.host);
    expect(await runStateOf(phase, files, signal)).toBe(phase === 'egress' ? 'done' : 'begun');
    await applyOn({ machine, phase }, how, machineDeps(on, signal));
    expect(await runStateOf(phase, files, signal)).toBe('done');
    expect(await readFile(on.at(upload.path), 'utf8')).toBe(content);
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
      await undoMachine(machine, on.host, machineDeps(on, signal));
    }
    const [first = '', second = ''] = owners.map((text) => text.split('\n')[0]);
    expect(first).toMatch(/^selvedge egress of cp-1, run [0-9a-f]{8}$/);
    expect(second).not.toBe(first);
  });
});
