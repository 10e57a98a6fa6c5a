import type { Architecture } from './types.ts';

/** Those that a release is built for, by what `uname -m` says. */
export const architectures: Readonly<Record<string, Architecture>> = { x86_64: 'amd64', aarch64: 'arm64' };
