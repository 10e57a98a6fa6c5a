import type { Architecture } from './types.ts';

/** Those that a release is built for. */
export const architectures: readonly Architecture[] = ['amd64', 'arm64'];

const names: Readonly<Record<string, Architecture>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** What `uname -m` says, as Kubernetes names it; undefined: a release has nothing for it. */
export const architectureOf = (uname: string): Architecture | undefined => names[uname];
