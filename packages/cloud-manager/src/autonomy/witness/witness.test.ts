import { Readable } from 'node:stream';
import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Asked } from '../../serving/index.ts';
import type { Term } from '../term.ts';
import { Testimonies } from '../testimony/index.ts';
import { parseReports } from './report.ts';
import { createWitness } from './witness.ts';

const { signal } = new AbortController();
const unit = { metadata: { name: 'shop' }, status: { members: [{ name: 'a' }, { name: 'b' }] } };

function world(asked: { readonly isLeading?: boolean } = {}) {
  const clock = createManualClock();
  const testimonies = new Testimonies({ validMs: 30_000 }, clock);
  const looked: string[] = [];
  const judge = {
    unit: (node: string) => (['a', 'b'].includes(node) ? unit : undefined),
    isConnected: (node: string) => node === 'b',
  };
  const term = { judge, testimonies, enqueue: (node: string) => looked.push(node) } as unknown as Term;
  const handler = createWitness(
    { validMs: 30_000 },
    {
      clock,
      access: {
        async authenticate({ certificate, bearerToken }) {
          if (bearerToken !== undefined) throw new Error('the API server is asked about a token');
          if (certificate === undefined) throw new SelvedgeError('no', { code: 'Unauthenticated' });
          const shown = Buffer.from(certificate).toString();
          const groups = shown.startsWith('system:node:') ? ['system:nodes'] : [];
          return { username: shown.replace('forged:', ''), groups };
        },
      },
      isBanned: (node) => node === 'banned',
      term: () => (asked.isLeading === false ? undefined : term),
      testimonies: { add: () => undefined },
    },
  );
  const say = async (
    who: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const text = typeof body === 'string' ? body : JSON.stringify({ reports: body });
    const request = Object.assign(Readable.from([Buffer.from(text)]), {
      method: 'POST',
      headers: { authorization: 'Bearer system:node:a' },
    });
    const certificate = who === 'nobody' ? undefined : Buffer.from(who);
    const link = { remoteAddress: '192.0.2.1', certificate };
    const answer = await handler({ request, link, signal } as unknown as Asked);
    return { status: answer.status, text: Buffer.from(answer.body as Uint8Array).toString() };
  };
  return { clock, testimonies, looked, say };
}

const alive = { alive: true, ageSeconds: 3 };

describe('a witness', () => {
  test('is heard about members of its unit, and who lost its link is looked at', async () => {
    const { say, testimonies, looked } = world();
    expect(await say('system:node:b', [{ node: 'a', ...alive }])).toMatchObject({ status: 200 });
    await say('system:node:a', [{ node: 'b', alive: false, ageSeconds: 0 }]);
    expect([testimonies.of('a', 'b'), testimonies.of('b', 'a')]).toEqual(['alive', 'dead']);
    expect(looked).toEqual(['a']);
  });

  test('is not heard about itself, strangers and the past', async () => {
    const { say, testimonies } = world();
    const reports = [
      { node: 'b', ...alive },
      { node: 'stranger', ...alive },
      { node: 'a', alive: true, ageSeconds: 31 },
    ];
    const { text } = await say('system:node:b', reports);
    expect(JSON.parse(text)).toEqual({
      heard: 0,
      refused: [
        { node: 'b', why: 'yourself' },
        { node: 'stranger', why: 'no member of your unit' },
        { node: 'a', why: 'too old' },
      ],
    });
    expect(JSON.parse((await say('system:node:stranger', [{ node: 'a', ...alive }])).text)).toMatchObject({
      heard: 0,
    });
    expect(testimonies.of('a', 'b')).toBeUndefined();
  });

  test.each<[string, string, number]>([
    ['nobody', 'nobody', 401],
    ['a person', 'jane', 403],
    ['somebody named as a node, without its group', 'forged:system:node:b', 403],
    ['a banned node', 'system:node:banned', 403],
  ])('is not %s', async (_what, who, status) => {
    expect(await world().say(who, [{ node: 'a', ...alive }])).toMatchObject({ status });
  });

  test('is told to ask the others by a server that does not lead', async () => {
    expect(await world({ isLeading: false }).say('system:node:b', [])).toMatchObject({ status: 503 });
  });

  test('that speaks too often has to wait, and keeps nobody else from speaking', async () => {
    const { say, clock } = world();
    const answers = await Promise.all(Array.from({ length: 25 }, () => say('system:node:b', [])));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
    expect(await say('system:node:a', [])).toMatchObject({ status: 200 });
    await clock.advance(1_000);
    expect(await say('system:node:b', [])).toMatchObject({ status: 200 });
  });

  test.each<[string, unknown, number]>([
    ['no JSON', 'x', 400],
    ['something else', '{}', 400],
    ['too many', Array.from({ length: 1_001 }, () => ({ node: 'a', ...alive })), 400],
    ['too much', 'x'.repeat(500_000), 413],
  ])('is told what is wrong with it: %s', async (_what, body, status) => {
    expect(await world().say('system:node:b', body)).toMatchObject({ status });
  });

  property.prop([fc.oneof(fc.json(), fc.string())])('whatever is sent are reports or Invalid', (text) => {
    expect(() => parseReports(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});
