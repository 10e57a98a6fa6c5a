import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../types.ts';
import { fileFacts } from './files.ts';
import { looks } from './looks.ts';
import { foreignMounts, mountFacts, parseMountInfo } from './mounts.ts';
import {
  type Facts,
  type Inventory,
  type InventoryPart,
  type VolatilePath,
  inventoryParts,
} from './types.ts';
import { volatilePaths } from './volatile.ts';
import { volatileLookup } from './volatile-lookup.ts';

export interface InventoryOptions {
  /** What changes by itself on this machine beside `volatilePaths`. */
  readonly alsoVolatile?: readonly VolatilePath[];
  readonly signal?: AbortSignal;
}

/**
 * Looks at a machine that is on: the files of its disk, units, accounts, network, firewall, mounts. About a second; the machine
 * should be at rest.
 */
export async function takeInventory(
  machine: Pick<Machine, 'exec' | 'hostRoot'>,
  { alsoVolatile = [], signal }: InventoryOptions = {},
): Promise<Inventory> {
  const root = await machine.hostRoot();
  const mounts = parseMountInfo(await readFile(join(root, 'proc/1/mountinfo'), 'utf8'));
  const left = volatileLookup([...volatilePaths, ...alsoVolatile]);
  const asked = looks.map(async ({ part, argv, read }): Promise<readonly [InventoryPart, Facts]> => {
    return [part, read((await machine.exec(argv, { signal })).stdout)];
  });
  const walked = fileFacts({ root, foreign: foreignMounts(mounts), left });
  const [files, told] = await Promise.all([walked, Promise.all(asked)]);
  const found: readonly (readonly [InventoryPart, Facts])[] = [
    ['files', files],
    ['mounts', mountFacts(mounts)],
    ...told,
  ];
  const factsOf = (wanted: InventoryPart): Facts =>
    Object.assign({}, ...found.filter(([part]) => part === wanted).map(([, facts]) => facts)) as Facts;
  const parts = inventoryParts.map((part) => [part, factsOf(part)] as const);
  return Object.fromEntries(parts) as Inventory;
}
