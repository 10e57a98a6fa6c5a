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

/** Two lite nodes of one site; tests find them by the label. */
const nodes: readonly NodeOptions[] = ['lite-1', 'lite-2'].map((name) => ({
  name,
  agent: 'lite',
  labels: { 'selvedge.test/role': 'lite' },
}));

/** One bed for a whole run. `SELVEDGE_E2E_BED` names one that is made or repaired, and stays. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['SELVEDGE_E2E_BED'] ?? '';
  const name = kept === '' ? 'e2e' : kept;
  try {
    const bed = await Bed.up({ name, nodes });
    project.provide('bed', bed.name);
    project.provide('kubeconfig', bed.kubeconfig);
  } catch (error) {
    if (kept === '') await Bed.down(name);
    throw error;
  }
  return async () => {
    if (kept === '') await Bed.down(name);
  };
}
