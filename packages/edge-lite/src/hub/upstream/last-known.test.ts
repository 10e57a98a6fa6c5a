import { createListeners, silentLogger } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createTemporaryStore } from '../../store/testing.ts';
import { createLastKnown } from './last-known.ts';
import type { Connectivity } from './types.ts';

const offline: Connectivity = { kind: 'offline', sinceMs: 1, reason: 'refused' };
const online: Connectivity = { kind: 'online', sinceMs: 1, server: 's' };

/** An upstream that has just started. */
class Starting {
  readonly #listeners = createListeners<Connectivity>(silentLogger);
  connectivity: Connectivity = { kind: 'connecting', sinceMs: 0 };

  onConnectivity(changed: (now: Connectivity) => void): Disposable {
    return this.#listeners.add(changed);
  }

  move(to: Connectivity): void {
    this.connectivity = to;
    this.#listeners.tell(to);
  }
}

it.each([
  ['offline', offline, 'offline'],
  ['online', online, 'connecting'],
])('a run that begins after one that ended %s', async (_end, last, expected) => {
  await using temporary = await createTemporaryStore();
  const first = new Starting();
  const before = createLastKnown({ upstream: first, runtime: temporary.store.runtime });
  expect(before.connectivity.kind).toBe('connecting');
  first.move(last === offline ? online : offline);
  first.move(last);
  expect(before.connectivity).toBe(last);
  const upstream = new Starting();
  const known = createLastKnown({ upstream, runtime: (await temporary.reopen()).runtime });
  expect(known.connectivity.kind).toBe(expected);
  upstream.move(online);
  expect(known.connectivity).toBe(online);
});
