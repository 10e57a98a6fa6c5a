import { dirname } from 'node:path';
import type { VolatilePath } from './types.ts';

/** What of a path is left out: nothing, its time of change, or it itself. */
export type Left = 'nothing' | VolatilePath['what'];

/** Looks up a path, or one of the folders that it is in. Pure. */
export function volatileLookup(paths: readonly VolatilePath[]): (path: string) => Left {
  const known = new Map(paths.map(({ path, what }) => [path, what]));
  const beginnings = paths.filter(({ path }) => path.endsWith('*'));
  const look = (path: string): Left => {
    const begun = beginnings.find((one) => path.startsWith(one.path.slice(0, -1)))?.what;
    return known.get(path) ?? begun ?? (path === '/' ? 'nothing' : look(dirname(path)));
  };
  return look;
}
