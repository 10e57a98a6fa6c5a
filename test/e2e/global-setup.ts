import { Bed, type NodeOptions, nameBed } from '@selvedge/bed';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The names of the run's beds, one for each worker. */
    beds: readonly string[];
  }
}

/** Two lite nodes of one site, one with each containerd; tests find them by the label. */
const lite = { agent: 'lite', labels: { 'selvedge.test/role': 'lite' } } as const;
const nodes: readonly NodeOptions[] = [
  { name: 'lite-1', ...lite, containerd: '1.6' },
  { name: 'lite-2', ...lite, containerd: '2.4' },
];

/** A bed for each worker that has a file to run. `SELVEDGE_E2E_BED` names the first of beds that are made or repaired, and stay. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['SELVEDGE_E2E_BED'] ?? '';
  const { config, vitest } = project;
  const length = Math.min(config.maxWorkers, vitest.state.getPaths().length);
  const lanes = Array.from({ length }, (_, lane) => lane + 1);
  const keptNames = lanes.map((lane) => (lane === 1 ? kept : `${kept}-${lane}`));
  const names = kept === '' ? await Promise.all(lanes.map((lane) => nameBed(`e2e${lane}`))) : keptNames;
  await Promise.all(names.map((name) => Bed.up({ name, nodes })));
  project.provide('beds', names);
  return async () => {
    if (kept === '') await Promise.all(names.map((name) => Bed.down(name)));
  };
}
