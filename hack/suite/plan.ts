export type Project = 'unit' | 'api' | 'integration' | 'e2e' | 'long';

export interface PlanOptions {
  /** Unit tests and gates only: no root, no setup. */
  readonly unit: boolean;
  /** Those tests too that take many minutes. */
  readonly long: boolean;
  /** The major version of Node to run the unit tests with, besides the pinned one. */
  readonly node?: string;
  /** Paths or parts of paths of test files; empty means all. */
  readonly filters: readonly string[];
}

export interface Plan {
  /** The static gates: types, lint, format, layers, dead code. */
  readonly gates: boolean;
  /** Whether generated code is as `pnpm gen` makes it. */
  readonly generated: boolean;
  readonly projects: readonly Project[];
  /** Root, Debian packages and binaries are needed. */
  readonly machine: boolean;
}

const order: readonly Project[] = ['unit', 'api', 'integration', 'e2e', 'long'];

/** Tests with an API server of their own, see `vitest.config.ts`. */
const apiTest = /test\/integration\/(edge|hub|kube|manager)-/;

/** The projects that a filter speaks of. */
function projectsOf(filter: string): readonly Project[] {
  if (filter.endsWith('.long.test.ts')) return ['long'];
  if (apiTest.test(filter)) return ['api'];
  const file = filter.endsWith('.ts');
  if (filter.includes('test/integration')) return file ? ['integration'] : ['api', 'integration'];
  return [filter.includes('test/e2e') ? 'e2e' : 'unit'];
}

function wantedProjects({ unit, long, node, filters }: PlanOptions): readonly Project[] {
  if (filters.length > 0) {
    const named = new Set(filters.flatMap(projectsOf));
    return order.filter((project) => named.has(project));
  }
  if (unit || node !== undefined) return ['unit'];
  return long ? order : order.filter((project) => project !== 'long');
}

/** What is run, in the order of `projects`. With filters only what they name; with another Node only unit tests. */
export function plan(options: PlanOptions): Plan {
  const projects = wantedProjects(options);
  const everything = options.filters.length === 0 && options.node === undefined;
  const machine = projects.some((project) => project !== 'unit');
  return { projects, machine, gates: everything, generated: everything && machine };
}
