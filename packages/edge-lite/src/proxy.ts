import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import type { HttpProxy } from '@selvedge/kube';
import type { Config } from './config/index.ts';

/** The proxy of the config with the credentials in its file, `user:password`. Throws `Invalid`. */
export async function loadProxy(proxy: Config['server']['proxy']): Promise<HttpProxy | undefined> {
  if (proxy === undefined) return undefined;
  const { url, credentialsFile: file } = proxy;
  if (file === undefined) return { url };
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the proxy's credentials ${file}`, { code: 'Invalid', cause });
  });
  const [, username, password] = /^([^:\n]+):([^\n]+)\n?$/.exec(text) ?? [];
  if (username === undefined || password === undefined) {
    const hint = 'one line: the user name, a colon, the password';
    throw new SelvedgeError(`${file} holds no user:password`, { code: 'Invalid', hint });
  }
  return { url, username, password };
}
