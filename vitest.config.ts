import { defineConfig } from 'vitest/config';

/** Files run one after another: they share one control plane, one containerd or one bed. */
const serial = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'hack/**/*.test.ts', 'test/{bed,bench}/**/*.test.ts'],
        },
      },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...serial } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...serial } },
    ],
    retry: 0,
    passWithNoTests: false,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
});
