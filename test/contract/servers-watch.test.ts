import { SelvedgeError } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { KubeClient } from '@selvedge/kube';
import { expect, it } from 'vitest';
import { type ServersWatch, watchClients } from '../e2e/support/api-servers.ts';

const away = new SelvedgeError('connection refused', { code: 'Unavailable' });

/** An API server that answers, or says this each time. */
const server = (said?: Error, onClose = (): void => undefined): Pick<KubeClient, 'get' | 'close'> => ({
  async get() {
    if (said !== undefined) throw said;
    return {} as never;
  },
  close: async () => onClose(),
});

/** Two looks at them. */
async function looked(
  clock: ManualClock,
  ...servers: Parameters<typeof watchClients>[0]
): Promise<ServersWatch> {
  const watch = watchClients(servers, clock);
  await clock.advance(200);
  return watch;
}

it('counts how often one of the API servers answers', async () => {
  await using watch = await looked(createManualClock(), server(away), server());
  expect([watch.answered, watch.silences]).toEqual([2, []]);
});

it('tells what they say when none does, and closes its clients', async () => {
  let closed = 0;
  const onClose = (): void => {
    closed += 1;
  };
  const watch = await looked(createManualClock(), server(away, onClose), server(away, onClose));
  const silence = 'connection refused; connection refused';
  expect([watch.answered, watch.silences]).toEqual([0, [silence, silence]]);
  await watch[Symbol.asyncDispose]();
  expect(closed).toBe(2);
});

it('fails who disposes of it when it cannot ask any more', async () => {
  const wrong = new TypeError('this is no client');
  const watch = await looked(createManualClock(), server(wrong));
  expect(watch.silences).toEqual([]);
  await expect(watch[Symbol.asyncDispose]()).rejects.toThrow(expect.objectContaining({ errors: [wrong] }));
});
