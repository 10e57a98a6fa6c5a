import { SelvedgeError } from '@selvedge/kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { natural } from '../replica/index.ts';
import { EventReader, ReadsWorld, podOf } from './testing.ts';

const one = { namespace: 'a', name: 'one' };
const two = { namespace: 'a', name: 'two' };

let world: ReadsWorld;
beforeEach(() => {
  world = new ReadsWorld();
  world.pods.change(one, podOf({ app: 'x' }));
  world.pods.change(two, podOf({ app: 'y' }));
});

const watch = async (query: string, path = '/api/v1/pods'): Promise<EventReader> =>
  new EventReader(await world.send(`${path}?watch=true&${query}`));

describe('WATCH', () => {
  it.each(['', 'resourceVersion=0'])('begins with what is there: %j', async (query) => {
    const events = await watch(query);
    expect(await events.take(2)).toEqual(['ADDED one@1001', 'ADDED two@1002']);
    world.pods.change(one, podOf({ app: 'z' }));
    world.pods.change(two, undefined);
    expect(await events.take(2)).toEqual(['MODIFIED one@1003', 'DELETED two@1004']);
    await events.close();
    expect(world.holds).toBe(0);
    expect(world.pods.subscribers).toBe(0);
  });

  it('marks the end of the initial events, offline too', async () => {
    world.cut();
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await watch(`${query}&labelSelector=app%3Dx`);
    expect(await events.take(1)).toEqual(['ADDED one@1001']);
    expect(await events.next()).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: {
          resourceVersion: '1002',
          creationTimestamp: null,
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    });
    await events.close();
  });

  it('goes on after a version, and begins now when no initial events are wanted', async () => {
    const after = await watch('resourceVersion=1001');
    expect(await after.take(1)).toEqual(['ADDED two@1002']);
    const now = await watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan');
    const pending = now.take(1);
    world.pods.change(one, podOf());
    expect(await pending).toEqual(['MODIFIED one@1003']);
    await Promise.all([after.close(), now.close()]);
  });

  it('shows what comes into the selection as added and what leaves it as deleted', async () => {
    const events = await watch('resourceVersion=1002&labelSelector=app%3Dx');
    world.pods.change(two, podOf({ app: 'x' }));
    world.pods.change(one, podOf({ app: 'y' }));
    world.pods.change(one, podOf({ app: 'q' }));
    world.pods.change(two, podOf({ app: 'x' }));
    expect(await events.take(3)).toEqual(['ADDED two@1003', 'DELETED one@1004', 'MODIFIED two@1006']);
    await events.close();
  });

  it('keeps to its namespace', async () => {
    const events = await watch('resourceVersion=1002', '/api/v1/namespaces/b/pods');
    world.pods.change(one, podOf());
    world.pods.change({ namespace: 'b', name: 'three' }, podOf());
    expect(await events.take(1)).toEqual(['ADDED three@1004']);
    await events.close();
  });

  it('reads nothing but its one object by its name', async () => {
    const query = 'fieldSelector=metadata.name%3Dtwo&allowWatchBookmarks=true';
    const events = await watch(query, '/api/v1/namespaces/a/pods');
    expect(await events.take(2)).toEqual(['ADDED two@1002', 'BOOKMARK -@1002']);
    world.pods.change(one, podOf());
    world.pods.change(two, undefined);
    expect(await events.take(1)).toEqual(['DELETED two@1004']);
    await events.close();
  });

  it.each([
    ['resourceVersion=7', 'too old resource version: 7 (1002)'],
    ['resourceVersion=9999', 'too large resource version: 9999, current: 1002'],
  ])('answers %s with an error event', async (query, message) => {
    const events = await watch(query);
    expect(await events.next()).toMatchObject({
      type: 'ERROR',
      object: { code: 410, reason: 'Expired', message },
    });
    expect(await events.next()).toBeUndefined();
    expect(world.holds).toBe(0);
  });

  it('is left to upstream where it goes on from before all of it was held here', async () => {
    world.completeSince = '1002';
    await world.send('/api/v1/pods?watch=true&resourceVersion=1001');
    expect(world.forwarded).toHaveLength(1);
    expect(world.holds).toBe(0);
    await (await watch('resourceVersion=1002')).close();
    expect(world.forwarded).toHaveLength(1);
  });

  it('says with an event that upstream cannot be asked from there', async () => {
    world.completeSince = '1002';
    world.forward = async () => {
      throw new SelvedgeError('too old resource version: 1', { code: 'Gone' });
    };
    const events = await watch('resourceVersion=1');
    expect(await events.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(await events.next()).toBeUndefined();
  });

  it('is told offline that nobody knows what went before all of it was held here', async () => {
    world.cut();
    world.completeSince = '1002';
    const events = await watch('resourceVersion=1001');
    expect(await events.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(await events.next()).toBeUndefined();
    expect(world.holds).toBe(0);
  });

  it('goes on from what is held when upstream turns out to be away', async () => {
    world.connectivity = { kind: 'connecting', sinceMs: 0 };
    world.completeSince = '1000';
    world.forward = async () => {
      throw new SelvedgeError('cut', { code: 'Unavailable' });
    };
    const response = await world.send('/api/v1/pods?watch=true&resourceVersion=7');
    expect(response.headers['warning']).toContain('shop-7');
    const waited = new EventReader(response);
    expect(await waited.next()).toMatchObject({ object: { code: 410 } });
    expect(await waited.next()).toBeUndefined();
    world.connectivity = { kind: 'online', sinceMs: 0, server: 's' };
    world.coverageState = { kind: 'suspended', reason: 'no sponsor' };
    world.forward = async () => {
      world.cut();
      throw new SelvedgeError('cut', { code: 'Unavailable' });
    };
    const raced = new EventReader(await world.send('/api/v1/pods?watch=true&resourceVersion=1001'));
    expect(await raced.take(1)).toEqual(['ADDED two@1002']);
    await raced.close();
    expect(world.holds).toBe(0);
  });

  it('lets others have their turn while it looks for what is selected', async () => {
    for (let i = 0; i < 1_000; i += 1) world.pods.change({ namespace: 'a', name: `p-${i}` }, podOf());
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    const events = await watch(
      'labelSelector=no&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
    );
    expect(await events.next()).toMatchObject({ type: 'BOOKMARK' });
    expect(turns).toBeGreaterThan(3);
    turns = 0;
    expect(await world.json('/api/v1/pods?resourceVersion=0&labelSelector=no')).toMatchObject({ items: [] });
    expect(turns).toBeGreaterThan(3);
    clearImmediate(timer);
    await events.close();
  });

  it('gives up on a client that is slower than the history is long', async () => {
    const events = await watch('resourceVersion=1002');
    world.pods.change(one, podOf());
    expect(await events.take(1)).toEqual(['MODIFIED one@1003']);
    world.pods.change(one, podOf());
    world.pods.floor = world.pods.version;
    expect(await events.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  it('does not fall behind while nothing happens to it', async () => {
    const events = await watch('resourceVersion=1002');
    const pending = events.next();
    world.pods.rise(5_000n);
    await world.clock.advance(0);
    world.pods.floor = 5_000n;
    world.pods.change(one, podOf());
    expect(await pending).toMatchObject({ type: 'MODIFIED' });
    await events.close();
  });

  it('ends with the right to it', async () => {
    const events = await watch('resourceVersion=1002');
    const pending = events.next();
    await world.clock.asleep();
    world.revoke();
    expect(await pending).toMatchObject({ type: 'ERROR', object: { code: 403, reason: 'Forbidden' } });
    expect(await events.next()).toBeUndefined();
  });

  it.each([
    ['', '1', ['END']],
    ['&allowWatchBookmarks=true', '2', ['BOOKMARK -@1002', `BOOKMARK -@${natural(2n)}`, 'END']],
    ['&allowWatchBookmarks=true', '3', ['BOOKMARK -@1002', `BOOKMARK -@${natural(3n)}`, 'END']],
    ['&allowWatchBookmarks=true', '4', ['BOOKMARK -@1002', `BOOKMARK -@${natural(3n)}`, 'END']],
  ])('says at most how far it had come when nobody may follow it any more: %j at %s', async (...row) => {
    const [query, upstreamVersion, told] = row;
    const events = await watch(`resourceVersion=1002${query}`);
    const pending = events.take(3);
    await world.clock.asleep();
    world.upstreamVersion = upstreamVersion;
    // Others bring the resource further.
    world.pods.rise(natural(3n));
    await world.clock.advance(0);
    world.revoke(new SelvedgeError('nobody may run it', { code: 'Aborted' }));
    expect(await pending).toEqual(told);
    expect(world.holds).toBe(0);
  });

  it('tells all that there is before it says how far it had come', async () => {
    const events = await watch('resourceVersion=1002&allowWatchBookmarks=true');
    expect(await events.take(1)).toEqual(['BOOKMARK -@1002']);
    const pending = events.take(3);
    await world.clock.asleep();
    world.pods.rise(natural(3n));
    const late = world.pods.change(one, podOf());
    world.upstreamVersion = '2';
    world.revoke(new SelvedgeError('nobody may run it', { code: 'Aborted' }));
    expect(await pending).toEqual([`MODIFIED one@${late}`, `BOOKMARK -@${natural(2n)}`, 'END']);
  });

  it.each([
    ['resourceVersion=1002', 'BOOKMARK -@1002'],
    ['resourceVersion=1001', 'ADDED two@1002'],
    ['resourceVersion=1001&labelSelector=no', 'BOOKMARK -@1002'],
  ])('with bookmarks says something at once: %s', async (query, first) => {
    const events = await watch(`${query}&allowWatchBookmarks=true`);
    expect(await events.take(1)).toEqual([first]);
    await events.close();
  });

  it('tells all that there is when the hub stops, and how far that is', async () => {
    const hub = new AbortController();
    const { body } = await world.send(
      '/api/v1/pods?watch=true&resourceVersion=1001&labelSelector=app%3Dy&allowWatchBookmarks=true',
      { ending: hub.signal },
    );
    const events = new EventReader({ status: 200, headers: {}, body });
    expect(await events.take(1)).toEqual(['ADDED two@1002']);
    world.pods.change(two, undefined);
    world.pods.change(one, podOf());
    hub.abort();
    expect(await events.take(3)).toEqual(['DELETED two@1003', 'BOOKMARK -@1004', 'END']);
    expect(world.holds).toBe(0);
  });

  it('ends at once when it is opened while the hub stops', async () => {
    const events = new EventReader(
      await world.send('/api/v1/pods?watch=true&resourceVersion=1002', { ending: AbortSignal.abort() }),
    );
    expect(await events.next()).toBeUndefined();
  });

  it('lets go when the client goes, even of an answer that was never read', async () => {
    const client = new AbortController();
    const { body } = await world.send('/api/v1/pods?watch=true', { signal: client.signal });
    expect(world.holds).toBe(1);
    client.abort();
    expect(world.holds).toBe(0);
    expect(body).toBeDefined();
  });

  it('sends bookmarks at its beginning, after changes that it did not show, and at its end', async () => {
    const events = await watch(
      'resourceVersion=1002&labelSelector=no&allowWatchBookmarks=true&timeoutSeconds=300',
    );
    const bookmark = async (ms: number): Promise<readonly string[]> => {
      const pending = events.take(1);
      await world.clock.asleep();
      await world.clock.advance(ms);
      return await pending;
    };
    expect(await events.take(1)).toEqual(['BOOKMARK -@1002']);
    world.pods.change(one, podOf());
    expect(await bookmark(10_000)).toEqual(['BOOKMARK -@1003']);
    const pending = events.take(3);
    await world.clock.asleep();
    world.pods.rise(2_000n);
    await world.clock.advance(285_000);
    world.pods.change(one, podOf());
    await world.clock.advance(5_000);
    expect(await pending).toEqual(['BOOKMARK -@2001', 'BOOKMARK -@2001', 'END']);
  });

  it('ends after its time, without one after 30 to 60 minutes', async () => {
    const events = await watch('resourceVersion=1002');
    const pending = events.next();
    let ended = false;
    void pending.then(() => (ended = true));
    await world.clock.asleep();
    await world.clock.advance(44 * 60_000);
    expect(ended).toBe(false);
    await world.clock.advance(60_000);
    expect(await pending).toBeUndefined();
  });

  it('writes tables, the first one with its columns', async () => {
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const events = new EventReader(await world.send('/api/v1/pods?watch=true', { headers }));
    expect(await events.next()).toMatchObject({
      object: {
        kind: 'Table',
        columnDefinitions: expect.arrayContaining([expect.objectContaining({ name: 'Name' })]),
      },
    });
    expect(await events.next()).toMatchObject({
      object: { kind: 'Table', columnDefinitions: null, rows: [{}] },
    });
    await events.close();
  });

  it('is refused as a whole when its parameters make no sense', async () => {
    await expect(watch('sendInitialEvents=true')).rejects.toMatchObject({ details: { status: 422 } });
    await expect(watch('resourceVersion=x')).rejects.toMatchObject({ code: 'Invalid' });
    world.mayRead = false;
    await expect(watch('')).rejects.toMatchObject({ code: 'Forbidden' });
    world.cut();
    world.coverages = [];
    await expect(watch('')).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
