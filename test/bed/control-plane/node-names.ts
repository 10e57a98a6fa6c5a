import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedDescription } from '../description.ts';
import { nodeAddress } from '../network/spec.ts';
import type { BedFolders } from '../state/folders.ts';

const fileOf = ({ controlPlane }: Pick<BedFolders, 'controlPlane'>): string => join(controlPlane, 'hosts');

/**
 * The names of nodes for the API server, which looks them up before it sends anybody to `nodes/NAME/proxy`, and then leaves it
 * to the tunnel where they are. Written in place: it is mounted over `/etc/hosts`.
 */
export async function writeNodeNames(
  bed: BedDescription,
  folders: Pick<BedFolders, 'controlPlane'>,
): Promise<void> {
  const nodes = bed.nodes.map((node) => `${nodeAddress(bed, node).address} ${node.name}\n`);
  await mkdir(folders.controlPlane, { recursive: true });
  await writeFile(fileOf(folders), `127.0.0.1 localhost\n${nodes.join('')}`);
}

/** Runs a program where `/etc/hosts` holds the names of nodes. */
export function withNodeNames(
  folders: Pick<BedFolders, 'controlPlane'>,
  argv: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ['unshare', '--mount', '--', 'sh', '-c', script, fileOf(folders), ...argv];
}
