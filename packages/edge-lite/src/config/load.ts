import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import { parseConfig } from './parse.ts';
import type { Config } from './schema.ts';

/** Reads and checks a config file. Throws `Invalid`, also when it cannot be read. */
export async function loadConfig(file: string): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the config ${file}`, { code: 'Invalid', cause });
  });
  return parseConfig(file, text);
}
