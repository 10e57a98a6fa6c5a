import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import type { HttpProxy, ProxyAccount } from '@selvedge/kit/net';
import type { Config } from './config/index.ts';

async function readAccount(file: string): Promise<ProxyAccount> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the proxy's credentials ${file}`, { code: 'Invalid', cause });
  });
  const [, username, password] = /^([^:\n]+):([^\n]+)\n?$/.exec(text) ?? [];
  if (username === undefined || password === undefined) {
    const hint = 'one line: the user name, a colon, the password';
    throw new SelvedgeError(`${file} holds no user:password`, { code: 'Invalid', hint });
  }
  return { username, password };
}

/**
 * The proxy of the config; the credentials in its file, `user:password`, are read for each connection, so that they may be
 * replaced. Throws `Invalid`, now, if they cannot be read.
 */
export async function loadProxy(proxy: Config['server']['proxy']): Promise<HttpProxy | undefined> {
  if (proxy === undefined) return undefined;
  const { url, credentialsFile: file } = proxy;
  if (file === undefined) return { url };
  await readAccount(file);
  return { url, account: () => readAccount(file) };
}
