import { defineConfig } from 'vitest/config';

/** Files run one after another: they share one control plane, one containerd or one bed. */
const patient = { testTimeout: 120_000, hookTimeout: 600_000 };
const serial = { ...patient, fileParallelism: false };

/** These share nothing: each file has an API server of its own. */
const api = 'test/integration/{edge,hub,kube}-*.test.ts';

/** What takes many minutes: `hack/test --long`. */
const long = 'test/{integration,e2e}/**/*.long.test.ts';

/** One bed for the run. */
const bed = 'test/e2e/global-setup.ts';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'hack/**/*.test.ts',
            'test/{bed,bench,contract}/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: { name: 'api', include: [api], exclude: [long], ...patient, maxWorkers: 2 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [api, long],
          ...serial,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [long],
          globalSetup: bed,
          ...serial,
        },
      },
      { extends: true, test: { name: 'long', include: [long], globalSetup: bed, ...serial } },
    ],
    retry: 0,
    passWithNoTests: false,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
});
