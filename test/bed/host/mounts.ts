import { readFile } from 'node:fs/promises';
import { runUnchecked } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';

/** The mount points in the text of `/proc/self/mountinfo`, in the order in which they were mounted. */
export function parseMountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) =>
      point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCodePoint(Number.parseInt(octal, 8)),
      ),
    );
}

/** What is mounted at or below `folder`, the last mount first. */
export async function mountsBelow(folder: string): Promise<readonly string[]> {
  const points = parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).toReversed();
}

/** Unmounts everything below `folder`, so that removing the folder removes nothing else. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of await mountsBelow(folder)) await runUnchecked({ argv: ['umount', '--lazy', point] });
  const left = await mountsBelow(folder);
  if (left.length === 0) return;
  throw new SelvedgeError(`${left[0]} cannot be unmounted`, { code: 'Internal', details: { left } });
}
