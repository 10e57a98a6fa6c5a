import { join } from 'node:path';
import type { Architecture } from '@selvedge/installer/release';
import { type Setup, debianFiles } from '../setup/index.ts';

/** The static busybox of each processor: the one of this machine, and Debian's for arm64. */
export async function provideBusybox(
  deps: Pick<Setup, 'cache' | 'progress'> & { readonly signal?: AbortSignal | undefined },
): Promise<Readonly<Record<Architecture, string>>> {
  const source = { name: 'busybox-arm64', packages: ['busybox-static'], architecture: 'arm64' } as const;
  const arm64 = await debianFiles({ ...source, signal: deps.signal }, deps);
  return { amd64: '/bin/busybox', arm64: join(arm64, 'bin/busybox') };
}
