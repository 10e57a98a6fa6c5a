import { Socket } from 'node:net';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createNewcomers } from './newcomers.ts';
import { type Place, createPlaces } from './places.ts';

describe('places', () => {
  test('are refused to who has enough, and to all when there are no more', () => {
    const places = createPlaces({ what: 'streams', total: 3, perClient: 2 });
    const held = [places.take('a'), places.take('a')];
    const full = (whose: string): unknown =>
      expect.objectContaining({ code: 'ResourceExhausted', details: { full: whose, retryAfterSeconds: 1 } });
    expect(() => places.take('a')).toThrow(full('client'));
    held.push(places.take('b'));
    expect(() => places.take('b')).toThrow(full('total'));
    held[0]?.[Symbol.dispose]();
    held[0]?.[Symbol.dispose]();
    expect(places.taken).toBe(2);
    places.take('b');
  });

  property.prop([fc.array(fc.record({ client: fc.constantFrom('a', 'b', 'c'), takes: fc.boolean() }))])(
    'are never more than there are, and free once all are given back',
    (moves) => {
      const places = createPlaces({ what: 'things', total: 4, perClient: 2 });
      const held: Place[] = [];
      for (const { client, takes } of moves) {
        try {
          if (takes) held.push(places.take(client));
          else held.pop()?.[Symbol.dispose]();
        } catch {
          expect(places.taken).toBeGreaterThanOrEqual(2);
        }
        expect(places.taken).toBe(held.length);
        expect(places.taken).toBeLessThanOrEqual(4);
      }
      for (const place of held) place[Symbol.dispose]();
      for (const client of ['a', 'a', 'b', 'b']) places.take(client);
    },
  );
});

const client = (remotePort: number): Socket =>
  Object.defineProperties(new Socket(), {
    remoteAddress: { value: '10.0.0.1' },
    remotePort: { value: remotePort },
  });

test('one newcomer too many costs the eldest its place; who has asked for something keeps it', () => {
  const sockets = Array.from({ length: 4 }, (_, port) => client(port));
  const [asked, eldest, ...others] = sockets as [Socket, Socket, ...Socket[]];
  const newcomers = createNewcomers(2);
  newcomers.add(asked);
  newcomers.add(eldest);
  newcomers.remove({ remoteAddress: '10.0.0.1', remotePort: 0 });
  for (const socket of others) newcomers.add(socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false]);
  expect(newcomers.size).toBe(2);
});
