import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadProxy } from './proxy.ts';

const url = 'http://proxy.shop.test:3128';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-proxy-'));
  file = join(folder, 'credentials');
});
afterEach(() => rm(folder, { recursive: true }));

it('has no account without a file', async () => {
  expect(await loadProxy(undefined)).toBeUndefined();
  expect(await loadProxy({ url })).toEqual({ url });
});

it('has the account that is in the file when it is asked for', async () => {
  await writeFile(file, 'shop:a:b c\n');
  const proxy = await loadProxy({ url, credentialsFile: file });
  expect(await proxy?.account?.()).toEqual({ username: 'shop', password: 'a:b c' });
  await writeFile(file, 'shop:new');
  expect(await proxy?.account?.()).toEqual({ username: 'shop', password: 'new' });
  await rm(file);
  await expect(proxy?.account?.()).rejects.toThrow(`cannot read the proxy's credentials ${file}`);
});

it.each(['', 'shop', ':secret', 'shop:', 'shop:a\nb'])('refuses a file with %j', async (text) => {
  await writeFile(file, text);
  await expect(loadProxy({ url, credentialsFile: file })).rejects.toMatchObject({ code: 'Invalid' });
});
