import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { SelvedgeError } from '@selvedge/kit';
import { type Header, extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { archiveOf } from './archive.ts';
import { createCollection } from './collection.ts';

const { signal } = new AbortController();
const limits = { maxFileBytes: 100, maxBytes: 250 };

async function unpacked(archive: Buffer): Promise<readonly (readonly [Header, string])[]> {
  const entries = extract();
  entries.end(gunzipSync(archive));
  const found: (readonly [Header, string])[] = [];
  for await (const entry of entries) found.push([entry.header, (await buffer(entry)).toString()]);
  return found;
}

describe('what goes into the archive', () => {
  it('is bounded: of a file its end is kept, of files the first', () => {
    const collection = createCollection(limits);
    collection.addText('a', `${'x'.repeat(200)}end`);
    collection.addText('b', 'y'.repeat(100));
    collection.addText('c', 'z'.repeat(100));
    collection.addText('d', 'short');
    expect(collection.files.map(({ path, bytes, cut }) => [path, bytes, cut])).toEqual([
      ['a', 100, true],
      ['b', 100, false],
      ['d', 5, false],
    ]);
    expect(collection.files[0]?.content.toString()).toMatch(/end$/);
    expect(collection.missing).toMatchObject([{ what: 'c', why: /would exceed 250 bytes/ }]);
  });

  it('tells what could not be read, without secrets', async () => {
    const collection = createCollection(limits);
    const error = new SelvedgeError('token: abc was refused', { code: 'Forbidden' });
    await collection.add('x', () => Promise.reject(error), signal);
    expect(collection.missing).toEqual([{ what: 'x', why: 'token: [redacted] was refused' }]);
  });

  it('is left when its owner is told to stop', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    const adding = createCollection(limits).add('x', () => Promise.reject(new Error('no')), stopped);
    await expect(adding).rejects.toThrow('enough');
  });

  it('is one folder that only its owner may read', async () => {
    const collection = createCollection(limits);
    collection.addText('nodes/shop-1/edge-lite.log', 'synced\n');
    collection.addJson('version.json', { a: 1 });
    const entries = await unpacked(await archiveOf(collection.files, Date.parse('2026-11-22T04:00:00Z')));
    expect(entries.map(([{ name, mode }, text]) => [name, mode, text])).toEqual([
      ['selvedge-support/nodes/shop-1/edge-lite.log', 0o600, 'synced\n'],
      ['selvedge-support/version.json', 0o600, '{\n  "a": 1\n}\n'],
    ]);
  });
});
