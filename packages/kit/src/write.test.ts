import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { writeChunk } from './write.ts';

it('waits for a full stream to drain', async () => {
  const pending: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => pending.push(done) });
  let written = false;
  const writing = writeChunk(stream, 'abc', new AbortController().signal).then(() => (written = true));
  expect(written).toBe(false);
  pending[0]?.();
  await writing;
  expect(written).toBe(true);
});

it('gives up waiting when told, or when the stream fails', async () => {
  const stuck = (): Writable => new Writable({ highWaterMark: 1, write: () => undefined });
  const controller = new AbortController();
  const waiting = writeChunk(stuck(), 'abc', controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
  const failing = stuck();
  const written = writeChunk(failing, 'abc', new AbortController().signal);
  failing.destroy(new Error('broken pipe'));
  await expect(written).rejects.toThrow('broken pipe');
});
