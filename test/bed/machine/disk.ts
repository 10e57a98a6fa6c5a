import { mkdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { MachineDisk } from './machine-mounts.ts';
import type { MachineOptions } from './types.ts';

const defaultVolumes = ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/selvedge'];

/** Colons and commas separate the options of an overlay mount. */
function checkPath(path: string): void {
  if (isAbsolute(path) && !/[:,\\]/.test(path)) return;
  const hint = 'an absolute path without colon, comma and backslash';
  throw new SelvedgeError(`${JSON.stringify(path)} cannot hold a machine`, { code: 'Invalid', hint });
}

/** Where the parts of a machine's disk are. */
export function diskOf(options: MachineOptions): MachineDisk {
  const { folder, base, volumes = defaultVolumes, programs = {} } = options;
  checkPath(folder);
  checkPath(base);
  const volume = (path: string): [string, string] => [
    path,
    join(folder, 'volumes', path.slice(1).replaceAll('/', '-')),
  ];
  return {
    base,
    upper: join(folder, 'upper'),
    work: join(folder, 'work'),
    root: join(folder, 'root'),
    volumes: Object.fromEntries(volumes.map(volume)),
    programs,
  };
}

/** Makes the folders of the disk that are not there. */
export async function prepareDisk({ upper, work, root, volumes }: MachineDisk): Promise<void> {
  for (const folder of [upper, work, root, ...Object.values(volumes)])
    await mkdir(folder, { recursive: true });
}
