import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hasCode } from '@selvedge/kit';
import { expect, test } from 'vitest';
import { losing } from '../../steps/testing-disk.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { type TestMachine, createTestMachine, machine, machineDeps } from '../machine/testing-machine.ts';
import type { CloudDeps, CloudPlan } from '../types.ts';
import { paths } from '../beside-api-server/config.ts';
import { changeMachine } from './machines.ts';

const files = [paths.ca, paths.key, paths.certificate];
const change = { kind: 'machine', machine, phase: 'manager', renew: true } as const;
const controlPlane = { kind: 'open', machine, manifest: kubeadmManifest, ca: 'the cluster' };
const plan = { controlPlanes: [controlPlane] } as unknown as CloudPlan;

/** What the cluster has of the tunnel by now. */
const secret = {
  metadata: {},
  data: Object.fromEntries(
    ['tls.crt', 'tls.key', 'ca.crt'].map((name) => [name, Buffer.from('new').toString('base64')]),
  ),
};

/** Renews on a machine that is lost at one command. True if it was. */
async function renewWithLoss(on: TestMachine, at: number): Promise<boolean> {
  const host = losing(on.host, at, 'after');
  const hosts = { open: () => Promise.resolve(host) };
  const given = { hosts, cluster: { get: () => Promise.resolve(secret) } };
  const deps = { ...machineDeps(on, new AbortController().signal), ...given } as unknown as CloudDeps;
  try {
    await changeMachine(change, plan, deps);
    return false;
  } catch (error) {
    if (!hasCode(error, 'Unavailable')) throw error;
    return true;
  }
}

/** What is on a machine after a run that was lost at one command; undefined: it was not lost. */
async function afterLoss(at: number): Promise<readonly string[] | undefined> {
  await using on = await createTestMachine();
  await mkdir(on.at(paths.pki), { recursive: true });
  for (const path of files) await writeFile(on.at(path), 'old', { mode: 0o640 });
  const wasLost = await renewWithLoss(on, at);
  const texts = await Promise.all(files.map((path) => readFile(on.at(path), 'utf8')));
  return wasLost ? texts : undefined;
}

test('a certificate that is the new one has its key and its authority beside it, wherever a run was lost', async () => {
  const seen = new Set<string>();
  for (let at = 0; ; at += 1) {
    const texts = await afterLoss(at);
    if (texts === undefined) break;
    seen.add(texts.join(' '));
  }
  expect([...seen]).toEqual(['old old old', 'new old old', 'new new old', 'new new new']);
});
