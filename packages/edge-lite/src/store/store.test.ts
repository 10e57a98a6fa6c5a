import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RuntimeKind } from './runtime.ts';
import { openStore } from './store.ts';
import { createTemporaryStore } from './testing.ts';

const durable = { durable: true };
const containers: RuntimeKind<{ readonly restarts?: number; readonly image?: string }> = {
  name: 'container',
};
const tokens: RuntimeKind<{ readonly token: string }> = { name: 'token', sealed: true };

describe.each(['better', 'node'] as const)('store on driver %s', (driver) => {
  test('runtime documents survive a restart', async () => {
    await using temporary = await createTemporaryStore({ driver });
    temporary.store.runtime.put(containers, { key: 'c1', document: { restarts: 3 } }, durable);
    expect((await temporary.reopen()).runtime.get(containers, 'c1')).toEqual({ restarts: 3 });
  });

  test('sealed kinds are not readable in the files', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { runtime } = temporary.store;
    runtime.put(tokens, { key: 'uid/aud', document: { token: 'tok-opensesame' } }, durable);
    runtime.put(containers, { key: 'c', document: { image: 'plain-opensesame' } }, durable);
    expect(runtime.get(tokens, 'uid/aud')).toEqual({ token: 'tok-opensesame' });
    const wal = await readFile(join(temporary.folder, 'state.db-wal'));
    expect(wal.includes('plain-opensesame')).toBe(true);
    expect(wal.includes('tok-opensesame')).toBe(false);
  });

  test('nobody but the owner may read the state, also where others could before', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const at = (name: string): string => join(temporary.folder, name);
    const modes = async (): Promise<readonly number[]> => {
      const names = ['.', 'pki', 'state.db', 'state.db-wal'];
      return Promise.all(names.map(async (name) => (await stat(at(name))).mode & 0o777));
    };
    const wanted = [0o700, 0o700, 0o600, 0o600];
    temporary.store.runtime.put(containers, { key: 'c', document: {} }, durable);
    expect(await modes()).toEqual(wanted);
    for (const name of ['state.db', 'state.db-wal']) await chmod(at(name), 0o644);
    for (const name of ['.', 'pki']) await chmod(at(name), 0o755);
    const { runtime } = await temporary.reopen();
    runtime.put(containers, { key: 'c', document: { restarts: 1 } }, durable);
    expect(await modes()).toEqual(wanted);
  });

  test('keys that a crash left half-written are removed, nothing else', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const pki = join(temporary.folder, 'pki');
    const left = ['client.pem.0123456789ab.tmp', 'seal.key.abcdef012345.tmp'];
    for (const name of [...left, 'ca.crt', 'notes.tmp']) await writeFile(join(pki, name), 'x');
    await mkdir(join(pki, 'folder.0123456789ab.tmp'));
    await temporary.reopen();
    const kept = ['ca.crt', 'folder.0123456789ab.tmp', 'notes.tmp', 'seal.key'];
    expect((await readdir(pki)).toSorted()).toEqual(kept);
  });

  test('runtime documents are listed by kind in order and can be deleted', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { runtime } = temporary.store;
    for (const key of ['b', 'a'])
      runtime.put(containers, { key, document: { image: key } }, { durable: false });
    runtime.put(tokens, { key: 'c', document: { token: 't' } }, { durable: false });
    expect(runtime.list(containers).map((entry) => entry.key)).toEqual(['a', 'b']);
    expect(runtime.delete(containers, 'a')).toBe(true);
    expect(runtime.delete(containers, 'a')).toBe(false);
    expect(runtime.list(containers)).toEqual([{ key: 'b', document: { image: 'b' } }]);
  });

  test('a second agent on the same root is told that the first one runs', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const paths = {
      path: join(temporary.folder, 'state.db'),
      sealKeyPath: join(temporary.folder, 'pki', 'seal.key'),
    };
    await expect(openStore({ ...paths, driver })).rejects.toMatchObject({
      code: 'Corrupt',
      hint: expect.stringContaining('another edge-lite'),
    });
  });

  test('what another seal key sealed is lost, the rest stays, and the old file is kept', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { runtime } = temporary.store;
    runtime.put(tokens, { key: 'uid/aud', document: { token: 't' } }, durable);
    runtime.put(containers, { key: 'c', document: { image: 'i' } }, durable);
    await writeFile(join(temporary.folder, 'pki', 'seal.key'), randomBytes(32));
    const again = await temporary.reopen();
    expect(again.runtime.get(tokens, 'uid/aud')).toBeUndefined();
    expect(again.runtime.get(containers, 'c')).toEqual({ image: 'i' });
    expect((await readdir(temporary.folder)).filter((name) => name.includes('.damaged-'))).toHaveLength(1);
    expect((await temporary.reopen()).salvaged).toBeUndefined();
  });

  test('a file that is no database is set aside, at most two of them stay', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const path = join(temporary.folder, 'state.db');
    for (const round of [1, 2, 3]) {
      temporary.store.close();
      await rm(`${path}-wal`, { force: true });
      await writeFile(path, String(round).repeat(4096));
      const store = await temporary.reopen();
      expect(store.salvaged?.tables.every(({ kept }) => kept === 0)).toBe(true);
    }
    const aside = (await readdir(temporary.folder)).filter((name) => name.includes('.damaged-'));
    expect(aside).toHaveLength(2);
    const texts = await Promise.all(
      aside.toSorted().map((name) => readFile(join(temporary.folder, name), 'utf8')),
    );
    expect(texts.map((text) => text.slice(0, 1))).toEqual(['2', '3']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
