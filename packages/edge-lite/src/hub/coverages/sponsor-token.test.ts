import { SelvedgeError, hasCode } from '@selvedge/kit';
import { createManualClock, type ManualClock } from '@selvedge/kit/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TokenQuery, TokenSource } from '../../pods/index.ts';
import type { RuntimeRepository } from '../../store/index.ts';
import type { PodIdentity } from '../request.ts';
import { createSponsorTokens, type SponsorTokens } from './sponsor-token.ts';

const { signal } = new AbortController();
const account = { namespace: 'shop', serviceAccount: 'till' };
const pod = (uid: string): PodIdentity => ({ namespace: 'shop', name: 'till-0', uid });
const hour = 3_600_000;

/** Documents in memory; what is sealed is remembered. */
function memory(): { readonly documents: RuntimeRepository; readonly sealed: Set<string> } {
  const rows = new Map<string, unknown>();
  const sealed = new Set<string>();
  const documents: RuntimeRepository = {
    get: (_kind, key) => rows.get(key) as undefined,
    put(kind, { key, document }) {
      if (kind.sealed === true) sealed.add(key);
      rows.set(key, document);
    },
    list: () => [],
    delete: (_kind, key) => rows.delete(key),
  };
  return { documents, sealed };
}

let clock: ManualClock;
let pods: PodIdentity[];
let asked: TokenQuery[];
let failure: SelvedgeError | undefined;
let tokens: SponsorTokens;
let sealed: Set<string>;

const issue: TokenSource['request'] = async (query) => {
  asked.push(query);
  if (failure !== undefined) throw failure;
  if (query.pod.uid === 'tokenless') throw new SelvedgeError('mounts none', { code: 'Forbidden' });
  return { token: `t${asked.length}`, expiresAtMs: clock.now() + hour, lifetimeSeconds: 3_600 };
};

beforeEach(() => {
  clock = createManualClock();
  [pods, asked, failure] = [[pod('1')], [], undefined];
  const { documents, ...rest } = memory();
  ({ sealed } = rest);
  tokens = createSponsorTokens({
    documents,
    tokens: { request: issue },
    podsOf: () => pods,
    hasPod: ({ uid }) => pods.some((one) => one.uid === uid),
    clock,
  });
});

describe('the token of a service account', () => {
  it('is bound to a pod of this node, asked for once by all who need it, and kept sealed', async () => {
    const all = await Promise.all([1, 2, 3].map(() => tokens.token(account, signal)));
    expect(all).toEqual(['t1', 't1', 't1']);
    expect(asked).toMatchObject([{ pod: pod('1'), serviceAccount: 'till', audiences: [] }]);
    expect([...sealed]).toEqual(['shop/till']);
  });

  it('is renewed when four fifths of its life are over', async () => {
    await tokens.token(account, signal);
    await clock.advance(0.8 * hour - 1);
    expect(await tokens.token(account, signal)).toBe('t1');
    await clock.advance(1);
    expect(await tokens.token(account, signal)).toBe('t2');
  });

  it('is used to its end where there is no new one', async () => {
    await tokens.token(account, signal);
    failure = new SelvedgeError('cut', { code: 'Unavailable' });
    await clock.advance(0.9 * hour);
    expect(await tokens.token(account, signal)).toBe('t1');
    await clock.advance(0.1 * hour);
    await expect(tokens.token(account, signal)).rejects.toThrow('cut');
  });

  it('goes with its pod: the next pod brings the next token, no pod none', async () => {
    await tokens.token(account, signal);
    pods = [pod('2')];
    expect(await tokens.token(account, signal)).toBe('t2');
    pods = [];
    const refused = await tokens.token(account, signal).catch((error: unknown) => error);
    expect(hasCode(refused, 'Forbidden')).toBe(true);
  });

  it('is asked for in the name of a pod that mounts one', async () => {
    pods = [pod('tokenless'), pod('2')];
    expect(await tokens.token(account, signal)).toBe('t2');
    pods = [pod('tokenless')];
    await expect(tokens.token(account, signal)).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('that upstream does not accept is asked for anew', async () => {
    await tokens.token(account, signal);
    tokens.forget(account);
    expect(await tokens.token(account, signal)).toBe('t2');
  });
});
