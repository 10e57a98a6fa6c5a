import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest of each suite, the longest first. The order alone matters, so it need not be measured anew often. */
export const longest: readonly string[] = [
  'test/integration/hub-large-list.test.ts',
  'test/integration/edge-node.test.ts',
  'test/integration/manager-rbac.test.ts',
  'test/integration/hub-upstream.test.ts',
  'test/integration/edge-identity.test.ts',
  'test/integration/manager-rolling.test.ts',

  'test/integration/autonomy-restarts.test.ts',
  'test/integration/installer-cloud.test.ts',
  'test/integration/autonomy.test.ts',
  'test/integration/pods-life-1.test.ts',
  'test/integration/pods-life-2.test.ts',
  'test/integration/pods-kill.test.ts',

  'test/e2e/packages.test.ts',
  'test/e2e/hub-node.test.ts',
  'test/e2e/tunnel.test.ts',
  'test/e2e/tunnel-clients.test.ts',
  'test/e2e/rollout.test.ts',
  'test/e2e/installer-convert.test.ts',
  'test/e2e/units.test.ts',
  'test/e2e/machine-nodes.test.ts',
  'test/e2e/node-lifecycle.test.ts',
  'test/e2e/bed-converted.test.ts',
  'test/e2e/traffic-scope.test.ts',
];

/** The part of a test file that its place depends on. */
export interface PlacedFile {
  readonly project: { readonly name: string };
  /** Absolute. */
  readonly moduleId: string;
}

function placeOf({ moduleId }: PlacedFile): number {
  const index = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
  return index === -1 ? longest.length : index;
}

/** In each project what takes longest comes first, and the others stay in their order. */
export function longestFirst<T extends PlacedFile>(files: readonly T[]): T[] {
  const projects = Map.groupBy(files, ({ project }) => project.name);
  return [...projects.values()].flatMap((group) => group.toSorted((a, b) => placeOf(a) - placeOf(b)));
}

/**
 * The order in which vitest begins files: where nothing is known of earlier runs, as in a fresh clone, by their size, which
 * says little of the time that they take. A long one that is begun last is waited for by idle workers.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // By `call`, for linters take it for the `sort` of an array.
    return longestFirst(await super.sort.call(this, files));
  }
}
