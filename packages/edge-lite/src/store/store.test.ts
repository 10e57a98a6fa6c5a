import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ObjectKey } from './object-key.ts';
import type { ObjectBatch, ObjectPut } from './objects.ts';
import type { RuntimeKind } from './runtime.ts';
import { openStore } from './store.ts';
import { createTemporaryStore } from './testing.ts';

const pod = { resource: 'pods', namespace: 'default', name: 'web' };
const secret = { resource: 'secrets', namespace: 'default', name: 'login' };
const put = (key: ObjectKey, object: unknown, resourceVersion = '1'): ObjectPut => ({
  key,
  resourceVersion,
  object,
});
const batch = (changes: Partial<ObjectBatch>): ObjectBatch => ({
  collection: 'pods',
  state: { resourceVersion: '7', synced: true },
  puts: [],
  deletes: [],
  ...changes,
});
const durable = { durable: true };
const containers: RuntimeKind<{ readonly restarts?: number; readonly image?: string }> = {
  name: 'container',
};
const tokens: RuntimeKind<{ readonly token: string }> = { name: 'token', sealed: true };

describe.each(['better', 'node'] as const)('store on driver %s', (driver) => {
  test('objects, collections and runtime documents survive a restart', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects, runtime } = temporary.store;
    const puts = [put(pod, { spec: { nodeName: 'n' } })];
    expect(objects.apply(batch({ puts }), durable)).toEqual([pod]);
    runtime.put(containers, { key: 'c1', document: { restarts: 3 } }, durable);
    const again = await temporary.reopen();
    expect(again.objects.get(pod)).toEqual({ spec: { nodeName: 'n' } });
    expect(again.objects.keys('pods')).toEqual([pod]);
    expect(again.objects.collection('pods')).toEqual({ resourceVersion: '7', synced: true });
    expect(again.runtime.get(containers, 'c1')).toEqual({ restarts: 3 });
  });

  test('a batch reports only what changed, and rows that say so already are left alone', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    const puts = [put(pod, { a: 1 })];
    objects.apply(batch({ puts }), durable);
    expect(objects.apply(batch({ puts, deletes: [secret] }), durable)).toEqual([]);
    expect(objects.apply(batch({ puts: [put(pod, { a: 2 })] }), durable)).toEqual([pod]);
    expect(objects.get(pod)).toEqual({ a: 2 });
    expect(objects.apply(batch({ deletes: [pod] }), durable)).toEqual([pod]);
    expect(objects.get(pod)).toBeUndefined();
  });

  test('the version of an object lies beside its body', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    expect(objects.version(secret)).toBeUndefined();
    objects.apply(batch({ puts: [put(secret, { a: 1 }, '41')] }), durable);
    objects.apply(batch({ puts: [put(secret, { a: 2 }, '42')] }), durable);
    expect((await temporary.reopen()).objects.version(secret)).toBe('42');
  });

  test('the keys of one namespace are found', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    const far = { ...pod, namespace: 'far' };
    objects.apply(batch({ puts: [put(far, {}), put(pod, {})] }), durable);
    expect(objects.keys('pods')).toEqual([pod, far]);
    expect(objects.keys('pods', 'far')).toEqual([far]);
    expect(objects.keys('pods', 'none')).toEqual([]);
  });

  test('an object goes when no collection holds it any more', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    const puts = [put(pod, {}), put(secret, {})];
    const other = { collection: 'other' };
    objects.apply(batch({ puts }), durable);
    objects.apply(batch({ ...other, puts }), durable);
    expect(objects.members('pods')).toEqual([pod, secret]);
    expect(objects.apply(batch({ deletes: [pod] }), durable)).toEqual([]);
    expect([objects.members('pods'), objects.members('other')]).toEqual([[secret], [pod, secret]]);
    expect(objects.apply(batch({ ...other, deletes: [pod] }), durable)).toEqual([pod]);
    objects.dropCollection('other');
    expect([objects.get(pod), objects.get(secret)]).toEqual([undefined, {}]);
    objects.dropCollection('pods');
    expect([objects.get(secret), objects.collection('pods')]).toEqual([undefined, undefined]);
  });

  test('a batch that fails leaves nothing behind', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const puts = [put(pod, {}), put(secret, circular)];
    expect(() => objects.apply(batch({ puts }), durable)).toThrow('circular');
    expect(objects.keys('pods')).toEqual([]);
    expect(objects.collection('pods')).toBeUndefined();
    expect(objects.apply(batch({ puts: [put(pod, {})] }), durable)).toEqual([pod]);
  });

  test('secrets and sealed kinds are not readable in the files', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects, runtime } = temporary.store;
    objects.apply(batch({ puts: [put(secret, { data: { password: 'b3BlbnNlc2FtZQ' } })] }), durable);
    runtime.put(tokens, { key: 'uid/aud', document: { token: 'tok-opensesame' } }, durable);
    runtime.put(containers, { key: 'c', document: { image: 'plain-opensesame' } }, durable);
    expect(objects.get(secret)).toEqual({ data: { password: 'b3BlbnNlc2FtZQ' } });
    expect(runtime.get(tokens, 'uid/aud')).toEqual({ token: 'tok-opensesame' });
    const wal = await readFile(join(temporary.folder, 'state.db-wal'));
    expect(wal.includes('plain-opensesame')).toBe(true);
    expect(wal.includes('b3BlbnNlc2FtZQ')).toBe(false);
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
    temporary.store.objects.apply(batch({ puts: [put(pod, {})] }), durable);
    expect(await modes()).toEqual(wanted);
    for (const name of ['state.db', 'state.db-wal']) await chmod(at(name), 0o644);
    for (const name of ['.', 'pki']) await chmod(at(name), 0o755);
    const { objects } = await temporary.reopen();
    objects.apply(batch({ puts: [put(pod, { again: true })] }), durable);
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
