import { Socket } from 'node:net';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import { drain } from './drain.ts';

/** A client of which so many bytes were read so far. */
const client = () => {
  const said = { bytes: 100 };
  const socket = new Socket();
  Object.defineProperty(socket, 'bytesRead', { get: () => said.bytes });
  return { socket, say: () => void (said.bytes += 1) };
};

const world = (...sockets: readonly Socket[]) => {
  const clock = createManualClock();
  const clients = new Set(sockets);
  const seen = { refused: false, over: false };
  const drained = { clients, refuse: async () => void (seen.refused = true) };
  const over = drain([drained], { timeoutMs: 60_000 }, clock).then(() => (seen.over = true));
  return { clock, clients, seen, over };
};

test('streams are taken for a while after the drain has begun, and then no more', async () => {
  const { clock, seen } = world();
  await clock.advance(9_000);
  expect(seen).toEqual({ refused: false, over: false });
  await clock.advance(1_000);
  expect(seen).toEqual({ refused: true, over: true });
});

test('a stream that speaks may go on for the whole time, a silent one for half of it', async () => {
  const [silent, speaking] = [client(), client()];
  const { clock, clients, seen } = world(silent.socket, speaking.socket);
  await clock.advance(1_000);
  speaking.say();
  await clock.advance(58_000);
  expect(seen.over).toBe(false);
  clients.delete(speaking.socket);
  await clock.advance(1_000);
  expect(seen.over).toBe(true);

  const other = world(silent.socket);
  await other.clock.advance(29_000);
  expect(other.seen.over).toBe(false);
  await other.clock.advance(1_000);
  expect(other.seen.over).toBe(true);
});

test('a stream that was taken meanwhile is waited for, but not longer than for all', async () => {
  const late = client();
  const { clock, clients, seen, over } = world();
  await clock.advance(5_000);
  clients.add(late.socket);
  await clock.advance(54_000);
  expect(seen.over).toBe(false);
  await clock.advance(1_000);
  expect(await over).toBe(true);
});
