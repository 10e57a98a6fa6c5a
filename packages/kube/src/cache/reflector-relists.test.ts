import { describe, expect, it } from 'vitest';
import { added, bookmark, failure, world } from './testing-reflector.ts';

const { signal } = new AbortController();

describe('the reflector', () => {
  it.each([
    ['in the answer', { refuse: failure('Gone') }],
    ['in an event', { after: failure('Gone') }],
  ])('lists again, without a wait, when its version is gone: %s', async (_where, script) => {
    const { reflector, replaced, watches } = world(
      [script, { batches: [[added('a', '90'), bookmark('91', true)]] }],
      { initialResourceVersion: '42' },
    );
    await reflector.start(signal);
    await expect.poll(() => replaced).toEqual(['91']);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual(['42', undefined]);
    await reflector.stop();
  });

  it.each([
    ['Invalid', { refuse: failure('Invalid') }],
    ['Unsupported', { refuse: failure('Unsupported') }],
    ['Invalid in an event', { after: failure('Invalid') }],
  ])('lists in pages, and keeps to it, where streaming lists are refused: %s', async (_how, script) => {
    const { reflector, store, watches, clock } = world(
      [script, { after: failure('Gone') }, { after: 'silence' }],
      {},
      [['a'], ['b']],
    );
    await reflector.start(signal);
    await expect.poll(() => [...store.keys()]).toEqual(['b']);
    await clock.advance(0);
    expect(watches.map(({ sendInitialEvents }) => sendInitialEvents === true)).toEqual([true, false, false]);
    await reflector.stop();
  });

  it('lists in pages where a server takes the request for a streaming list and never ends the list', async () => {
    const { reflector, store, clock } = world([{ batches: [[added('a', '5')]], after: 'silence' }], {}, [
      ['a', 'b'],
    ]);
    await reflector.start(signal);
    await clock.asleep();
    await clock.advance(30_000);
    await reflector.whenSynced(signal);
    expect([...store.keys()]).toEqual(['a', 'b']);
    await reflector.stop();
  });

  it('streams its next list again after a stream that was only slow', async () => {
    const { reflector, watches, clock } = world(
      [{ after: 'silence' }, { after: failure('Gone') }, { batches: [[bookmark('60', true)]] }],
      {},
      [['a']],
    );
    await reflector.start(signal);
    await clock.asleep();
    await clock.advance(30_000);
    await expect.poll(() => reflector.resourceVersion).toBe('60');
    expect(watches.map(({ sendInitialEvents }) => sendInitialEvents === true)).toEqual([true, false, true]);
    await reflector.stop();
  });

  it('refuses a list beyond its cap and says so in its state', async () => {
    const { reflector, clock } = world([{ batches: [[added('a', '1'), added('b', '2')]] }], {
      maxObjects: 1,
    });
    await reflector.start(signal);
    await clock.advance(0);
    expect(reflector.state).toMatchObject({ kind: 'waiting', error: { code: 'ResourceExhausted' } });
    await reflector.stop();
  });
});
