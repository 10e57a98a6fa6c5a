import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { SelvedgeError, aborted } from '@selvedge/kit';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Progress } from '../../command/index.ts';
import { createHostFiles } from '../../files/index.ts';
import { egressConfigFile, egressOf, manifestFile } from '../egress/manifest.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { runStateOf, undoOn } from '../machine/run.ts';
import { type TestMachine, createTestMachine, machine, machineDeps } from '../machine/testing-machine.ts';
import type { CloudDeps } from '../types.ts';
import { wireEgress } from './egress.ts';

test('a manifest is put back when a person stops before the API server is ready again', async () => {
  await using on = await createTestMachine();
  const before = await on.look();
  const stopping = new AbortController();
  const notes: string[] = [];
  const progress: Progress = {
    task: (_title, work) => work(progress),
    note: (text) => void notes.push(text),
  };
  let edited = '';
  const cluster = {
    // The only API server there is.
    async get() {
      edited = await readFile(on.at(manifestFile), 'utf8');
      stopping.abort(aborted('selvedge'));
      throw new SelvedgeError('connection refused', { code: 'Unavailable' });
    },
  };
  const deps = { ...machineDeps(on, stopping.signal), cluster, progress } as unknown as CloudDeps;
  await expect(wireEgress({ machine, renew: false }, deps)).rejects.toMatchObject({ code: 'Aborted' });
  expect(edited).toContain('--egress-selector-config-file');
  expect(await on.look()).toEqual(before);
  expect(notes.at(-1)).toBe('the manifest of the API server on cp-1 is restored');
});

const mirrorPod = (manifest: string): object => ({
  spec: { containers: (parse(manifest) as { spec: { containers: object[] } }).spec.containers },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

test('a manifest that kubeadm rewrote is edited again, and later restored as kubeadm left it', async () => {
  await using on = await createTestMachine();
  const { signal } = new AbortController();
  const notes: string[] = [];
  const progress = { note: (text: string) => void notes.push(text) };
  const cluster = { get: async () => mirrorPod(await readFile(on.at(manifestFile), 'utf8')) };
  const deps = { ...machineDeps(on, signal), cluster, progress } as unknown as CloudDeps;
  await wireEgress({ machine, renew: false }, deps);
  await writeFile(on.at(manifestFile), kubeadmManifest.replaceAll('v1.36.3', 'v1.36.4'));
  await rm(on.at('/etc/kubernetes/egress-selector.yaml'));
  await wireEgress({ machine, renew: true }, deps);
  const edited = await readFile(on.at(manifestFile), 'utf8');
  expect(edited).toContain('v1.36.4');
  expect(egressOf(edited)).toBe('ours');
  expect(notes).toEqual([]);
  await undoOn({ machine, phase: 'egress' }, deps);
  expect(await readFile(on.at(manifestFile), 'utf8')).toBe(kubeadmManifest.replaceAll('v1.36.3', 'v1.36.4'));
  expect(await readdir(dirname(on.at(manifestFile)))).toEqual([basename(manifestFile)]);
});

/** The machine is lost when that file is touched. */
const losing = ({ host }: TestMachine, path: string): Pick<CloudDeps, 'hosts'> => ({
  hosts: {
    open: async () => ({
      ...host,
      async run(command, signal) {
        if (command.argv.includes(path)) throw new SelvedgeError('it is lost', { code: 'Unavailable' });
        return host.run(command, signal);
      },
    }),
  },
});

test('a machine lost while its rewritten manifest is seen to begins anew with the next run', async () => {
  await using on = await createTestMachine();
  const { signal } = new AbortController();
  const cluster = { get: async () => mirrorPod(await readFile(on.at(manifestFile), 'utf8')) };
  const deps = { ...machineDeps(on, signal), cluster } as unknown as CloudDeps;
  await wireEgress({ machine, renew: false }, deps);
  await writeFile(on.at(manifestFile), kubeadmManifest.replaceAll('v1.36.3', 'v1.36.4'));
  const lost = wireEgress({ machine, renew: true }, { ...deps, ...losing(on, egressConfigFile) });
  await expect(lost).rejects.toMatchObject({ code: 'Unavailable' });
  expect(await runStateOf('egress', createHostFiles(on.host), signal)).toBe('begun');
  await expect(wireEgress({ machine, renew: false }, deps)).rejects.toMatchObject({ code: 'Conflict' });
  await wireEgress({ machine, renew: true }, deps);
  expect(egressOf(await readFile(on.at(manifestFile), 'utf8'))).toBe('ours');
});
