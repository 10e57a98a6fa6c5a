import { createListeners, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import type { Coverages } from '../coverages/types.ts';
import { createUnitFollower } from './index.ts';

const caller = { kind: 'node', user: { username: 'system:node:here', groups: [] } } as const;

test('the unit of the node is followed, and no other', async () => {
  const listeners = createListeners<void>(silentLogger);
  const unit = {
    name: undefined as string | undefined,
    onChange: (changed: () => void) => listeners.add(changed),
  };
  const followed = new Set<string>();
  const join = (async ({ spec: { fieldSelector } }) => {
    followed.add(fieldSelector);
    return { revoked: new AbortController().signal, [Symbol.dispose]: () => followed.delete(fieldSelector) };
  }) as (...wish: Parameters<Coverages['join']>) => Promise<unknown> as Coverages['join'];
  const follower = createUnitFollower(
    { caller },
    {
      unit,
      coverages: { join },
      upstream: { onConnectivity: () => ({ [Symbol.dispose]: () => undefined }) },
      clock: createManualClock(),
      random: () => 0,
      log: silentLogger,
    },
  );
  const becomes = async (name: string | undefined): Promise<void> => {
    unit.name = name;
    listeners.tell();
    const wanted = name === undefined ? [] : [`metadata.name=${name}`];
    await expect.poll(() => [...followed]).toEqual(wanted);
  };
  await follower.start(new AbortController().signal);
  expect(followed.size).toBe(0);
  for (const name of ['berlin', 'rome', undefined, 'rome', 'berlin']) await becomes(name);
  await follower.stop();
  expect(followed.size).toBe(0);
});
