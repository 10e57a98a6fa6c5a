import { expect, it } from 'vitest';
import { type Holder, createByteShares } from '@selvedge/kit/serve';
import { countPieces } from './count-pieces.ts';

const maxBytes = 1_000;
const piece = Buffer.alloc(20);
const holder = (user: string): Holder => ({ user, remoteAddress: '127.0.0.1', isReserved: false });

function world() {
  const shares = createByteShares({ what: 'answers', maxBytes, maxBytesEach: maxBytes, reservedBytes: 0 });
  const cut: string[] = [];
  const held = shares.hold(holder('ann'), () => void cut.push('ann'));
  /** Takes all the room there is: only what counts for another is in the way. */
  const fill = (): readonly string[] => {
    using all = shares.hold(holder('bob'));
    all.grow(maxBytes);
    return cut;
  };
  return { held, fill };
}

async function* given(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

it('a piece counts while it is on its way', async () => {
  const { held, fill } = world();
  await countPieces(given(piece), held).next();
  expect(fill()).toEqual(['ann']);
});

it.each(['next', 'return'] as const)('a piece counts no longer after %s', async (then) => {
  const { held, fill } = world();
  const pieces = countPieces(given(piece), held);
  await pieces.next();
  expect(await pieces[then]()).toEqual({ done: true, value: undefined });
  expect(fill()).toEqual([]);
});

it('a piece that comes when its client is gone counts for nothing', async () => {
  const { held, fill } = world();
  const source = Promise.withResolvers<Uint8Array>();
  async function* late(): AsyncGenerator<Uint8Array> {
    yield await source.promise;
  }
  const pieces = countPieces(late(), held);
  const asked = pieces.next();
  const returned = pieces.return();
  held[Symbol.dispose]();
  source.resolve(piece);
  await Promise.all([asked, returned]);
  expect(fill()).toEqual([]);
});
