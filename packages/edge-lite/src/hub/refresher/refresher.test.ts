import { setImmediate } from 'node:timers/promises';
import { recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { ObjectName, PageQuery, ResourceReader, Shown } from '../replica/types.ts';
import type { View } from '../views/types.ts';
import { createRefresher } from './refresher.ts';

type Changed = Parameters<NonNullable<View['onChange']>>[0];

const named = (name: string): ObjectName => ({ namespace: 'n', name });
const [a, b] = [named('a'), named('b')];

/** Of which only pages are read. */
class Pages implements Pick<ResourceReader, 'page'> {
  readonly #names: readonly ObjectName[];

  constructor(names: readonly ObjectName[]) {
    this.#names = names;
  }

  page({ after, limit }: PageQuery): readonly Shown[] {
    const from = this.#names.findIndex(({ name }) => name === after?.name) + 1;
    return this.#names.slice(from, from + limit).map((at) => ({ ...at, version: 1n, json: '{}' }));
  }
}

async function world({ fails = false, held = [a] }: { fails?: boolean; held?: readonly ObjectName[] } = {}) {
  let tell: Changed = () => undefined;
  const view: View = {
    name: 'test',
    resources: new Set(['v1/endpoints']),
    apply: (_resource, object) => object,
    onChange(changed) {
      tell = changed;
      return { [Symbol.dispose]: () => (tell = () => undefined) };
    },
  };
  const calls: (readonly [string, readonly ObjectName[] | undefined])[] = [];
  const log = recordingLogger();
  const replica = {
    reader: () => new Pages(held) as Pick<ResourceReader, 'page'> as ResourceReader,
    refresh(resource: string, names?: readonly ObjectName[]) {
      calls.push([resource, names]);
      if (fails) throw new Error('disk full');
    },
  };
  const refresher = createRefresher({ replica, views: [view], log });
  await refresher.start(new AbortController().signal);
  return { calls, log, refresher, tell: (...change: Parameters<Changed>) => tell(...change) };
}

describe('the refresher', () => {
  it('shows all anew at first, then together what changed, and not inside the change', async () => {
    const { calls, tell } = await world();
    tell('v1/nodes', [a]);
    tell('v1/nodes', [b, a]);
    tell('v1/services', undefined);
    tell('v1/services', [b]);
    expect(calls).toEqual([['v1/endpoints', [a]]]);
    await Promise.resolve();
    expect(calls.slice(1)).toEqual([
      ['v1/nodes', [a, b]],
      ['v1/services', [a]],
    ]);
  });

  it('lets others have their turn, and takes what they change in', async () => {
    const held = Array.from({ length: 250 }, (_, i) => named(`many-${i}`));
    const { calls, tell } = await world({ held });
    expect(calls.map(([, names]) => names?.length)).toEqual([100, 100, 50]);
    tell('v1/nodes', held);
    await Promise.resolve();
    expect(calls).toHaveLength(4);
    tell('v1/services', [a]);
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
    expect(calls.slice(4).map(([resource, names]) => [resource, names?.length])).toEqual([
      ['v1/nodes', 100],
      ['v1/nodes', 50],
      ['v1/services', 1],
    ]);
  });

  it('goes on after a failure, and ends when it is stopped', async () => {
    const { calls, tell, log, refresher } = await world({ fails: true });
    tell('v1/nodes', [a]);
    await setImmediate();
    tell('v1/nodes', [b]);
    await setImmediate();
    expect(calls).toHaveLength(3);
    expect(log.lines.map(({ text }) => text)).toEqual(Array(3).fill('views not shown anew'));
    await refresher.stop();
    tell('v1/nodes', [b]);
    await setImmediate();
    expect(calls).toHaveLength(3);
  });
});
