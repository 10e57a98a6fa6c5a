import { defineConfig } from 'vitest/config';
import { LongestFirst } from './hack/longest-first.ts';

/** For tests that hold however slow the machine is: only what hangs takes so long. */
const patient = { testTimeout: 180_000, hookTimeout: 600_000 };
/**
 * What a file shares with others that run at the same time is the machine: it has processes, or a bed, of its own, and waits
 * for them more than half of the time.
 */
const inFours = { maxWorkers: 4 };

/** Each file has an API server of its own. */
const api = 'test/integration/{edge,hub,kube,manager}-*.test.ts';

/** What takes many minutes: `hack/test --long`. */
const long = 'test/{integration,e2e}/**/*.long.test.ts';

/** What a run puts on the machine, and takes away again. */
const run = 'test/bed/run/global-setup.ts';
/** A bed for each worker. */
const beds = 'test/e2e/global-setup.ts';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          globalSetup: run,
          include: [
            'packages/*/src/**/*.test.ts',
            'hack/**/*.test.ts',
            'test/{bed,bench,contract}/**/*.test.ts',
          ],
          // No module has a state: so each is loaded once and not for every file, which took three times as long as the tests.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: { name: 'api', include: [api], exclude: [long], globalSetup: run, ...inFours },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [api, long],
          globalSetup: run,
          ...inFours,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [long],
          globalSetup: [run, beds],
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [long],
          globalSetup: [run, beds],
          // Some look at the whole machine.
          fileParallelism: false,
        },
      },
    ],
    setupFiles: 'test/setup.ts',
    ...patient,
    sequence: { sequencer: LongestFirst },
    // Tests that are concurrent start programs, each of which takes a processor for seconds.
    maxConcurrency: 3,
    expect: { poll: { timeout: 60_000 } },
    retry: 0,
    passWithNoTests: false,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
});
