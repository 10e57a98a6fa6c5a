import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import type { Host, Hosts, Machine } from '../../host/index.ts';
import { type TestDisk, createTestDisk } from '../../steps/testing-disk.ts';
import { manifestFile } from '../egress/manifest.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { egressSocket } from '../beside-api-server/config.ts';
import type { MachineDeps } from './run.ts';

export const machine: Machine = { name: 'cp-1', addresses: ['10.60.0.1'] };

const ours = /^\/(etc|var\/lib|run)(?=\/|$)/;

export interface TestMachine extends AsyncDisposable, Pick<TestDisk, 'look'> {
  readonly host: Host;
  readonly hosts: Hosts;
  /** Where a path of it is. */
  at(path: string): string;
}

/** A control-plane machine of kubeadm whose cloud-manager listens: this one, with its folders in one of the test's own. */
export async function createTestMachine(): Promise<TestMachine> {
  const disk = await createTestDisk();
  const at = (path: string): string => path.replace(ours, `${disk.folder}$&`);
  const files = [
    [manifestFile, kubeadmManifest],
    [egressSocket, ''],
  ] as const;
  for (const [path, content] of files) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
  }
  await mkdir(join(disk.folder, 'var/lib'), { recursive: true });
  const host: Host = {
    name: machine.name,
    run({ argv: [program, ...args], ...command }, signal) {
      return disk.host.run({ ...command, argv: [program, ...args.map(at)] }, signal);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    host,
    hosts: { open: () => Promise.resolve(host) },
    at,
    look: () => disk.look(),
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  };
}

export const machineDeps = ({ hosts }: TestMachine, signal: AbortSignal): MachineDeps => ({
  hosts,
  clock: systemClock,
  random: Math.random,
  progress: { note: () => undefined },
  version: '0.0.0',
  signal,
});
