import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Bed, type NodeOptions } from '@selvedge/bed';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The name of the run's bed, for `Bed.open`. */
    bed: string;
    /** The path of an administrator's kubeconfig. */
    kubeconfig: string;
  }
}

/** Two lite nodes of one site, one with each containerd; tests find them by the label. */
const lite = { agent: 'lite', labels: { 'selvedge.test/role': 'lite' } } as const;
const nodes: readonly NodeOptions[] = [
  { name: 'lite-1', ...lite, containerd: '1.6' },
  { name: 'lite-2', ...lite, containerd: '2.4' },
];

/** Removes the bed when vitest is interrupted: it exits at once then, without any teardown. */
function removeAtExit(name: string): Disposable {
  const program = join(import.meta.dirname, '../bed/main.ts');
  const onExit = (): void => {
    // Among them who holds the bed's lock for an `up` that will not go on.
    spawnSync('pkill', ['--signal', 'KILL', '--parent', String(process.pid)]);
    spawnSync(process.execPath, [program, '--bed', name, 'down', '--yes'], { stdio: 'inherit' });
  };
  process.once('exit', onExit);
  return { [Symbol.dispose]: () => process.off('exit', onExit) };
}

/** One bed for a whole run. `SELVEDGE_E2E_BED` names one that is made or repaired, and stays. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['SELVEDGE_E2E_BED'] ?? '';
  const name = kept === '' ? 'e2e' : kept;
  const atExit = kept === '' ? removeAtExit(name) : undefined;
  const remove = async (): Promise<void> => {
    if (kept !== '') return;
    await Bed.down(name);
    atExit?.[Symbol.dispose]();
  };
  try {
    const bed = await Bed.up({ name, nodes });
    project.provide('bed', bed.name);
    project.provide('kubeconfig', bed.kubeconfig);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
