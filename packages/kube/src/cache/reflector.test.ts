import { describe, expect, it } from 'vitest';
import { added, bookmark, failure, world } from './testing-reflector.ts';

const { signal } = new AbortController();

describe('the reflector', () => {
  it('takes a streaming list, then follows the same watch', async () => {
    const { reflector, store, replaced, watches, clock } = world([
      { batches: [[added('a', '5')], [added('b', '6'), bookmark('7', true), added('c', '8')]] },
    ]);
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.advance(0);
    expect([...store.keys()]).toEqual(['a', 'b', 'c']);
    expect(replaced).toEqual(['7']);
    expect(reflector.resourceVersion).toBe('8');
    expect(watches).toMatchObject([{ sendInitialEvents: true }]);
    expect(reflector.state.kind).toBe('watching');
    await reflector.stop();
    expect(reflector.state.kind).toBe('stopped');
    expect(clock.sleepers).toBe(0);
  });

  it('is not synced before the end of the list, and takes nothing of a list that broke off', async () => {
    const { reflector, store, clock } = world([
      { batches: [[added('a', '5')]], after: failure('Unavailable') },
      { batches: [[added('b', '6'), bookmark('7', true)]] },
    ]);
    await reflector.start(signal);
    await clock.advance(0);
    expect([reflector.synced, store.size, reflector.state.kind]).toEqual([false, 0, 'waiting']);
    await clock.advance(500);
    await reflector.whenSynced(signal);
    expect([...store.keys()]).toEqual(['b']);
    await reflector.stop();
  });

  it('takes a kind that is not defined for none of it, until it is defined, if it may be so', async () => {
    const undefinedKind = { refuse: failure('NotFound') };
    const { reflector, store, replaced, clock, log } = world(
      [
        undefinedKind,
        { batches: [[added('a', '5'), bookmark('7', true)]], after: failure('Unavailable') },
        undefinedKind,
        { batches: [[added('b', '9'), bookmark('9', true)]] },
      ],
      { mayBeUndefined: true },
    );
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    expect([store.size, reflector.state.kind]).toEqual([0, 'waiting']);
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { text: 'the kind is not defined in this cluster, so there are none' },
    ]);
    await clock.advance(500);
    expect([...store.keys()]).toEqual(['a']);
    await clock.advance(1_000);
    expect([...store.keys()]).toEqual([]);
    await clock.advance(2_000);
    expect([...store.keys()]).toEqual(['b']);
    expect(replaced).toEqual(['', '7', '', '9']);
    await reflector.stop();
  });

  it('leaves a watch at its first bookmark where none are wanted, for one without', async () => {
    const { reflector, watches, clock } = world(
      [
        { batches: [[added('a', '5'), bookmark('7', true)], [bookmark('8')]] },
        { batches: [[added('b', '9')], [bookmark('10')]] },
      ],
      { bookmarks: () => false },
    );
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.advance(60_000);
    expect(watches).toMatchObject([
      { sendInitialEvents: true, bookmarks: true },
      { resourceVersion: '8', bookmarks: false },
    ]);
    expect([reflector.state.kind, reflector.resourceVersion]).toEqual(['watching', '10']);
    await reflector.stop();
  });

  it('resumes from the last version, bookmarks included, after a break', async () => {
    const { reflector, watches, clock } = world([
      {
        batches: [[bookmark('7', true)], [added('a', '8')], [bookmark('20')]],
        after: failure('Unavailable'),
      },
    ]);
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.asleep();
    await clock.advance(500);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual([undefined, '20']);
    expect(reflector.synced).toBe(true);
    await reflector.stop();
  });

  it('watches again at once when the server ends a watch as planned', async () => {
    const { reflector, watches, clock } = world([
      { batches: [[bookmark('7', true)], [added('a', '8')]], after: 'end' },
      { batches: [[added('b', '9')]], after: 'end' },
    ]);
    await reflector.start(signal);
    await clock.advance(0);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual([undefined, '8', '9']);
    await reflector.stop();
  });

  it('waits when watches end at once without an event', async () => {
    const { reflector, watches, clock } = world([{ after: 'end' }, { after: 'end' }], {
      initialResourceVersion: '3',
    });
    await reflector.start(signal);
    await clock.asleep();
    expect(watches).toHaveLength(1);
    await clock.advance(500);
    expect(watches).toHaveLength(2);
    await clock.advance(999);
    expect(watches).toHaveLength(2);
    await clock.advance(1);
    expect(watches).toHaveLength(3);
    await reflector.stop();
  });

  it('goes on from a version of an earlier run', async () => {
    const { reflector, replaced, watches } = world([{ batches: [[bookmark('43')]] }], {
      initialResourceVersion: '42',
    });
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    expect(watches).toMatchObject([{ resourceVersion: '42' }]);
    expect([replaced, reflector.resourceVersion]).toEqual([[], '43']);
    await reflector.stop();
  });

  it('is not synced by a resumed watch that is only accepted', async () => {
    const { reflector, clock } = world([], { initialResourceVersion: '42' });
    await reflector.start(signal);
    await clock.advance(10_000);
    expect([reflector.state.kind, reflector.synced]).toEqual(['watching', false]);
    await reflector.stop();
  });

  it.each([
    ['an event', added('a', '43')],
    ['a bookmark', bookmark('43')],
    ['a bookmark of the same version', bookmark('42')],
  ])('is synced by %s of a resumed watch', async (_what, first) => {
    const { reflector, clock } = world([{ batches: [[first]] }], { initialResourceVersion: '42' });
    await reflector.start(signal);
    await clock.advance(0);
    expect(reflector.synced).toBe(true);
    await reflector.stop();
  });

  it('is not synced by a resumed watch whose version is gone, but by the list after it', async () => {
    const { reflector, clock } = world(
      [{ after: failure('Gone') }, { batches: [[added('a', '90')]], after: failure('Unavailable') }],
      { initialResourceVersion: '42' },
    );
    await reflector.start(signal);
    await clock.advance(0);
    expect([reflector.state.kind, reflector.synced]).toEqual(['waiting', false]);
    await reflector.stop();
  });
});
