import { describe, expect, it } from 'vitest';
import { type HeldBytes, type Holder, createByteShares } from './byte-shares.ts';

const pod = (number: number): Holder => ({
  user: `pod${number}`,
  remoteAddress: `10.0.0.${number}`,
  isReserved: false,
});
const node: Holder = { user: 'system:node:n', remoteAddress: '127.0.0.1', isReserved: true };
const tooMany = expect.objectContaining({ code: 'ResourceExhausted' });

const options = { what: 'things', maxBytes: 100, maxBytesEach: 30, reservedBytes: 20 };
const create = (): ReturnType<typeof createByteShares> => createByteShares(options);

describe('shares of memory', () => {
  it('leave the node its own when everybody else has taken all there is', () => {
    const shares = create();
    for (const number of [1, 2]) shares.hold(pod(number)).grow(30);
    shares.hold(pod(3)).grow(20);
    expect(() => shares.hold(pod(4)).grow(1)).toThrow(tooMany);
    shares.hold(node).grow(20);
    expect(() => shares.hold(node).grow(1)).toThrow(tooMany);
  });

  it.each([
    ['user', { ...pod(1), remoteAddress: '10.0.0.9' }],
    ['address', { ...pod(1), user: 'another' }],
  ])('have a cap for one %s', (_what, same) => {
    const shares = create();
    shares.hold(pod(1)).grow(30);
    expect(() => shares.hold(same).grow(1)).toThrow(tooMany);
    shares.hold(pod(2)).grow(30);
  });

  it('are those of users alone on the loopback address', () => {
    const shares = create();
    const agent = (user: string): Holder => ({ user, remoteAddress: '127.0.0.1', isReserved: false });
    shares.hold(agent('one')).grow(30);
    shares.hold(agent('other')).grow(30);
    expect(() => shares.hold(agent('one')).grow(1)).toThrow(tooMany);
  });

  it('fit one thing that is larger than they are', () => {
    const shares = create();
    const held = shares.hold(pod(1));
    held.grow(50);
    expect(() => shares.hold(pod(1)).grow(1)).toThrow(tooMany);
    shares.hold(pod(1)).grow(0);
    held[Symbol.dispose]();
    shares.hold(pod(1)).grow(1);
  });

  it('are free again once, and what was refused counts for nothing', () => {
    const shares = create();
    const held = shares.hold(pod(1));
    held.grow(10);
    held.grow(15);
    expect(() => held.grow(10)).toThrow(tooMany);
    held[Symbol.dispose]();
    held[Symbol.dispose]();
    const again = shares.hold(pod(1));
    again.grow(15);
    again.grow(15);
    expect(() => again.grow(1)).toThrow(tooMany);
  });
});

describe('shares of what may be cut', () => {
  const loose = (shares: ReturnType<typeof create>, holder: Holder, cut: string[]) => {
    const held = shares.hold(holder, () => void cut.push(holder.user));
    return (bytes: number): typeof held => {
      held[Symbol.dispose]();
      held.grow(bytes);
      return held;
    };
  };

  it('make room by cutting what one user has held for longest', () => {
    const shares = create();
    const cut: string[] = [];
    const agent = (user: string, remoteAddress: string): Holder => ({
      user,
      remoteAddress,
      isReserved: false,
    });
    const [first, second, third] = ['1', '2', '3'].map((last) =>
      shares.hold(agent('ann', `10.0.0.${last}`), () => void cut.push(last)),
    );
    first?.grow(10);
    second?.grow(10);
    first?.[Symbol.dispose]();
    first?.grow(10);
    third?.grow(10);
    expect(cut).toEqual([]);
    shares.hold(agent('ann', '10.0.0.4')).grow(15);
    expect(cut).toEqual(['2', '1']);
  });

  it('make room for others by cutting what the user with most has', () => {
    const shares = create();
    const cut: string[] = [];
    loose(shares, pod(1), cut)(20);
    loose(shares, pod(2), cut)(30);
    loose(shares, pod(3), cut)(25);
    loose(shares, pod(4), cut)(10);
    expect(cut).toEqual(['pod2']);
  });

  it('leave what others hold whole, and what holds nothing', () => {
    const shares = create();
    const cut: string[] = [];
    loose(shares, pod(1), cut)(10)[Symbol.dispose]();
    shares.hold(pod(1)).grow(30);
    expect(() => loose(shares, pod(1), cut)(1)).toThrow(tooMany);
    expect(cut).toEqual([]);
  });

  it('are waited for in turn: nobody overtakes another of the same user', async () => {
    const { signal } = new AbortController();
    const shares = create();
    const order: string[] = [];
    const first = shares.hold(pod(1));
    first.grow(25);
    const wait = async (what: string, bytes: number, holder = pod(1)): Promise<HeldBytes> => {
      const held = shares.hold(holder);
      await held.growInTurn(bytes, signal);
      order.push(what);
      return held;
    };
    const large = wait('large', 20);
    const small = wait('small', 1);
    await wait('another', 30, pod(2));
    first[Symbol.dispose]();
    const held = await Promise.all([large, small]);
    expect(order).toEqual(['another', 'large', 'small']);
    expect(() => shares.hold(pod(1)).grow(10)).toThrow(tooMany);
    for (const one of held) one[Symbol.dispose]();
    shares.hold(pod(1)).grow(30);
  });

  it('are given to the next when one gives up, and not waited for by more than a number', async () => {
    const shares = createByteShares({ ...options, maxWaiting: 2 });
    shares.hold(pod(1)).grow(25);
    const impatient = new AbortController();
    const { signal } = new AbortController();
    const large = shares.hold(pod(1)).growInTurn(20, impatient.signal);
    const small = shares.hold(pod(1)).growInTurn(1, signal);
    await expect(shares.hold(pod(1)).growInTurn(1, signal)).rejects.toEqual(tooMany);
    impatient.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    await small;
  });
});
