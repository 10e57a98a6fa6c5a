import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fc, it } from '@fast-check/vitest';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect } from 'vitest';
import { hasCode } from '../errors.ts';
import { type ConnectAnswer, askConnect } from './connect-request.ts';

const { signal } = new AbortController();
const asked = { peer: 'the proxy p', authority: '[2001:db8::1]:443', timeoutMs: 1_000 };

/** Who is asked, and what becomes of it. */
function asking(): {
  readonly ours: Duplex;
  readonly theirs: Duplex;
  readonly answer: Promise<ConnectAnswer>;
} {
  const [ours, theirs] = duplexPair();
  ours.on('error', () => undefined);
  const request = { ...asked, headers: { 'x-to': 'shop-1' } };
  return { ours, theirs, answer: askConnect(ours, request, { clock: createManualClock(), signal }) };
}

describe('a CONNECT', () => {
  it('says where to, and gives back what came behind the answer', async () => {
    const { ours, theirs, answer } = asking();
    theirs.end('HTTP/1.1 200 Go ahead\r\nx-by: node\r\n\r\nearly');
    expect(await answer).toMatchObject({ status: 200, reason: 'Go ahead', headers: { 'x-by': 'node' } });
    expect(await text(ours)).toBe('early');
    ours.end();
    const head = await text(theirs);
    expect(head).toMatch(/^CONNECT \[2001:db8::1\]:443 HTTP\/1\.1\r\n/);
    expect(head).toContain('host: [2001:db8::1]:443\r\nx-to: shop-1\r\n');
  });

  it.each([
    ['HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n', 407],
    ['HTTP/1.1 403 No\r\nconnection: close\r\n\r\n', 403],
  ])('is answered with whatever status: %j', async (said, status) => {
    const { theirs, answer } = asking();
    theirs.write(said);
    expect((await answer).status).toBe(status);
  });

  it.prop([fc.uint8Array({ maxLength: 500 }), fc.boolean()])(
    'to somebody who says anything is answered or fails, and never hangs',
    async (bytes, speaksHttp) => {
      const { ours, theirs, answer } = asking();
      if (speaksHttp) theirs.write('HTTP/1.1 ');
      theirs.end(bytes);
      const outcome = await answer.then(
        ({ status }) => status > 0,
        (error: unknown) => hasCode(error, 'Unavailable'),
      );
      expect(outcome).toBe(true);
      ours.destroy();
    },
  );
});
