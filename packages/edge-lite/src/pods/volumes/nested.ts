import { posix } from 'node:path';
import type { Pod } from '@selvedge/kube/types';

import { allContainers } from '../spec/index.ts';

/**
 * The folders that must exist inside a volume because another volume is mounted there: the runtime could not make them in
 * a volume that is read-only.
 */
export function nestedMountPoints(pod: Pod, volume: string): readonly string[] {
  const nested = allContainers(pod).flatMap(({ volumeMounts = [] }) => {
    const all = volumeMounts.map(({ mountPath }) => posix.resolve('/', mountPath));
    const own = volumeMounts.filter(({ name }) => name === volume);
    return own.flatMap(({ mountPath }) => {
      const prefix = `${posix.resolve('/', mountPath)}/`;
      return all.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    });
  });
  return [...new Set(nested)];
}
