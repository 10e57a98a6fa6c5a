import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { HubHandler } from '../request.ts';
import { ask, createTestHub, openHttp2 } from './testing.ts';

const kibibyte = 1024;
const pieces = 40;

async function* listed(): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < pieces; piece += 1) yield Buffer.alloc(64 * kibibyte, 97);
}
const handler: HubHandler = async () => ({ status: 200, headers: {}, body: listed() });

/** A list of which nothing is taken beyond what the connection holds, and whether it was broken off. */
async function stall(
  session: ClientHttp2Session,
  user: string,
): Promise<{ readonly stream: ClientHttp2Stream; readonly broken: Promise<unknown> }> {
  const stream = session.request({ ':path': '/api/v1/pods', authorization: `Bearer token-of-${user}` });
  const broken = once(stream, 'error').then(([error]: unknown[]) => error);
  broken.catch(() => undefined);
  await once(stream, 'response');
  return { stream: stream.pause(), broken };
}

const take = async (hub: Awaited<ReturnType<typeof createTestHub>>, user: string): Promise<number> =>
  (await ask['HTTP/2'](hub, '/api/v1/pods', { headers: { authorization: `Bearer token-of-${user}` } })).text
    .length;

describe('streamed answers that their clients do not take', () => {
  it('make room within their user by the one that waits longest, while others are answered whole', async () => {
    await using hub = await createTestHub({ handler }, { limits: { maxAnswerBytesEach: 1_000 * kibibyte } });
    const session = openHttp2(hub);
    const first = await stall(session, 'ann');
    const second = await stall(session, 'ann');
    const third = await stall(session, 'ann');
    expect(await first.broken).toBeInstanceOf(Error);
    expect(await take(hub, 'bob')).toBe(pieces * 64 * kibibyte);
    expect(await take(hub, 'ann')).toBe(pieces * 64 * kibibyte);
    expect(await second.broken).toBeInstanceOf(Error);
    expect(third.stream.closed).toBe(false);
    expect(hub.metrics.render()).toContain('selvedge_hub_answers_cut_total 2');
    session.destroy();
  });

  it('make room for everybody by those of the user with most', async () => {
    const limits = { maxAnswerBytesInAll: 1_600 * kibibyte, reservedBytes: 0 };
    await using hub = await createTestHub({ handler }, { limits });
    const session = openHttp2(hub);
    const alone = await stall(session, 'bob');
    const one = await stall(session, 'ann');
    await stall(session, 'ann');
    await stall(session, 'ann');
    expect(await take(hub, 'eve')).toBe(pieces * 64 * kibibyte);
    expect(await one.broken).toBeInstanceOf(Error);
    expect(alone.stream.closed).toBe(false);
    session.destroy();
  });
});
