import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFolder } from './edge-lite.ts';
import type { Site } from './site.ts';

/** What a container has written, from the node's disk: no API server is asked. */
export async function containerLog(
  { bed, namespace }: Pick<Site, 'bed' | 'namespace'>,
  node: string,
  { pod, container = 'main' }: { readonly pod: string; readonly container?: string },
): Promise<string> {
  const root = nodeFolder(bed, node);
  for (const folder of [join(root, 'pod-logs'), join(root, 'root/var/log/pods')]) {
    const all = await readdir(folder).catch(() => []);
    const mine = all.find((each) => each.startsWith(`${namespace}_${pod}_`));
    if (mine === undefined) continue;
    const names = await readdir(join(folder, mine, container)).catch(() => []);
    const files = names.filter((name) => name.endsWith('.log')).toSorted();
    const texts = await Promise.all(
      files.map((file) => readFile(join(folder, mine, container, file), 'utf8')),
    );
    return texts.join('');
  }
  return '';
}
