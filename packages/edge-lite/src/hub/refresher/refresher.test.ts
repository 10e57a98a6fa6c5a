import { recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { View } from '../views/types.ts';
import { createRefresher } from './refresher.ts';

type Changed = Parameters<NonNullable<View['onChange']>>[0];

async function world(fails = false) {
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
  const calls: unknown[] = [];
  const log = recordingLogger();
  const replica = {
    refresh(...call: unknown[]) {
      calls.push(call);
      if (fails) throw new Error('disk full');
    },
  };
  const refresher = createRefresher({ replica, views: [view], log });
  await refresher.start(new AbortController().signal);
  return { calls, log, refresher, tell: (...change: Parameters<Changed>) => tell(...change) };
}

const [a, b] = [
  { namespace: 'n', name: 'a' },
  { namespace: 'n', name: 'b' },
];

describe('the refresher', () => {
  it('shows all anew at first, then together what changed, and not inside the change', async () => {
    const { calls, tell } = await world();
    tell('v1/nodes', [a]);
    tell('v1/nodes', [b]);
    tell('v1/services', undefined);
    tell('v1/services', [a]);
    expect(calls).toEqual([['v1/endpoints', undefined]]);
    await Promise.resolve();
    expect(calls.slice(1)).toEqual([
      ['v1/nodes', [a, b]],
      ['v1/services', undefined],
    ]);
  });

  it('goes on after a failure, and ends when it is stopped', async () => {
    const { calls, tell, log, refresher } = await world(true);
    tell('v1/nodes', [a]);
    await Promise.resolve();
    tell('v1/nodes', [b]);
    await Promise.resolve();
    expect(calls).toHaveLength(3);
    expect(log.lines.map(({ text }) => text)).toEqual(Array(3).fill('views not shown anew'));
    await refresher.stop();
    tell('v1/nodes', [b]);
    await Promise.resolve();
    expect(calls).toHaveLength(3);
  });
});
