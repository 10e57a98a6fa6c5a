import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { relay } from './relay.ts';

/** Two people, each at the far end of one of the streams that are joined. */
function joined(): { ann: Duplex; bob: Duplex; done: Promise<Error | undefined> } {
  const [ann, left] = duplexPair();
  const [bob, right] = duplexPair();
  return { ann, bob, done: relay(left, right) };
}

describe('a relay', () => {
  it('carries both directions, and the end of each by itself', async () => {
    const { ann, bob, done } = joined();
    ann.end('to bob');
    expect(await text(bob)).toBe('to bob');
    bob.end('to ann, who has ended');
    expect(await text(ann)).toBe('to ann, who has ended');
    expect(await done).toBeUndefined();
  });

  it('breaks one stream with the error of the other, and tells it', async () => {
    const [, left] = duplexPair();
    const [, right] = duplexPair();
    const done = relay(left, right);
    const error = new Error('cut');
    const broken = once(right, 'error');
    left.destroy(error);
    expect(await broken).toEqual([error]);
    expect(await done).toBe(error);
  });

  it('ends what is left of a pair of which one is gone already', async () => {
    const [, left] = duplexPair();
    const [, right] = duplexPair();
    const closed = Promise.withResolvers<void>();
    left.on('error', () => undefined).once('close', closed.resolve);
    left.destroy(new Error('gone before'));
    await closed.promise;
    expect((await relay(left, right))?.message).toBe('gone before');
    expect(right.destroyed).toBe(true);
  });
});
