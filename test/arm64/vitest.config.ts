import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nodeFor } from '@selvedge/hack/sea';
import { defineConfig } from 'vitest/config';

// vitest itself runs as ever; the workers, in which the tests are, run on this Node.
process.execPath = nodeFor('arm64');

/** What is built is the same on every processor: the builder of this machine does it, and is not emulated. */
const esbuild = createRequire(import.meta.resolve('esbuild')).resolve(
  `@esbuild/${process.platform}-${process.arch}/bin/esbuild`,
);

/** What an edge node consists of, and the contracts that it keeps. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: [
      'packages/{api,containerd-grpc-types,edge-lite,kit,kube,tunnel}/src/**/*.test.ts',
      'test/contract/**/*.test.ts',
    ],
    env: { ESBUILD_BINARY_PATH: esbuild },
    isolate: false,
    maxWorkers: 2,
    // Emulation takes ten times as long.
    setupFiles: 'test/setup.ts',
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    expect: { poll: { timeout: 600_000 } },
  },
});
