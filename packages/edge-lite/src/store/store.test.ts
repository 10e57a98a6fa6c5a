import { readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ObjectBatch } from './objects.ts';
import type { RuntimeKind } from './runtime.ts';
import { openStore } from './store.ts';
import { createTemporaryStore } from './testing.ts';

const pod = { resource: 'pods', namespace: 'default', name: 'web' };
const secret = { resource: 'secrets', namespace: 'default', name: 'login' };
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
    const puts = [{ key: pod, object: { spec: { nodeName: 'n' } } }];
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
    const puts = [{ key: pod, object: { a: 1 } }];
    objects.apply(batch({ puts }), durable);
    expect(objects.apply(batch({ puts, deletes: [secret] }), durable)).toEqual([]);
    expect(objects.apply(batch({ puts: [{ key: pod, object: { a: 2 } }] }), durable)).toEqual([pod]);
    expect(objects.get(pod)).toEqual({ a: 2 });
    expect(objects.apply(batch({ deletes: [pod] }), durable)).toEqual([pod]);
    expect(objects.get(pod)).toBeUndefined();
  });

  test('a batch that fails leaves nothing behind', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects } = temporary.store;
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const puts = [
      { key: pod, object: {} },
      { key: secret, object: circular },
    ];
    expect(() => objects.apply(batch({ puts }), durable)).toThrow('circular');
    expect(objects.keys('pods')).toEqual([]);
    expect(objects.collection('pods')).toBeUndefined();
    expect(objects.apply(batch({ puts: [{ key: pod, object: {} }] }), durable)).toEqual([pod]);
  });

  test('secrets and sealed kinds are not readable in the files', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const { objects, runtime } = temporary.store;
    objects.apply(
      batch({ puts: [{ key: secret, object: { data: { password: 'b3BlbnNlc2FtZQ' } } }] }),
      durable,
    );
    runtime.put(tokens, { key: 'uid/aud', document: { token: 'tok-opensesame' } }, durable);
    runtime.put(containers, { key: 'c', document: { image: 'plain-opensesame' } }, durable);
    expect(objects.get(secret)).toEqual({ data: { password: 'b3BlbnNlc2FtZQ' } });
    expect(runtime.get(tokens, 'uid/aud')).toEqual({ token: 'tok-opensesame' });
    const wal = await readFile(join(temporary.folder, 'state.db-wal'));
    expect(wal.includes('plain-opensesame')).toBe(true);
    expect(wal.includes('b3BlbnNlc2FtZQ')).toBe(false);
    expect(wal.includes('tok-opensesame')).toBe(false);
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

  test('damage, another seal key and a foreign file are told as unusable state with what to do', async () => {
    await using temporary = await createTemporaryStore({ driver });
    const path = join(temporary.folder, 'state.db');
    const sealKeyPath = join(temporary.folder, 'pki', 'seal.key');
    temporary.store.close();
    await writeFile(sealKeyPath, randomBytes(32));
    const options = { path, sealKeyPath, driver };
    const unusable = { code: 'Corrupt', message: `state unusable: ${path}` };
    await expect(openStore(options)).rejects.toMatchObject({
      ...unusable,
      hint: expect.stringContaining('restore the key'),
    });
    await writeFile(path, Buffer.concat([(await readFile(path)).subarray(0, 5000), randomBytes(9000)]));
    await expect(openStore(options)).rejects.toMatchObject({
      ...unusable,
      hint: expect.stringContaining('aside'),
    });
    await rm(path);
    await writeFile(path, 'x'.repeat(4096));
    await expect(openStore(options)).rejects.toMatchObject(unusable);
  });
});
