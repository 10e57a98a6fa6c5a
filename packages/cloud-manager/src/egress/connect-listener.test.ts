import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, it } from '@fast-check/vitest';
import { silentLogger } from '@selvedge/kit';
import { hasClosed } from '@selvedge/kit/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { acceptance } from './answers.ts';
import { type ConnectListener, createUnixListener, defaultConnectLimits } from './connect-listener.ts';
import { connectRequest, dialUnix, headOf } from './testing.ts';

const { signal } = new AbortController();

let folder: string;
let listener: ConnectListener;
/** What was asked for. */
const authorities: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-connect-'));
  listener = createUnixListener(join(folder, 'socket'), {
    limits: { ...defaultConnectLimits, headersMs: 2_000 },
    log: silentLogger,
    serve: async ({ authority, socket, head }) => {
      authorities.push(authority);
      socket.write(acceptance);
      socket.write(head);
      socket.pipe(socket);
      await once(socket, 'close');
    },
  });
  await listener.start(signal);
});
afterAll(async () => {
  await listener.stop();
  await rm(folder, { recursive: true });
});

/** One head with a byte that is not what it was. */
const mutated = fc.tuple(fc.nat(200), fc.nat(255)).map(([at, value]) => {
  const bytes = Buffer.from(connectRequest('shop-1:10250', 'selvedge-relay-to: shop-1'));
  bytes[at % bytes.length] = value;
  return bytes;
});

describe('a listener for CONNECT', () => {
  it.prop([fc.oneof(fc.uint8Array({ maxLength: 1_000 }), mutated)], { numRuns: 150 })(
    'survives whatever is sent, and what runs goes on',
    async (bytes) => {
      const socket = await dialUnix(join(folder, 'socket'));
      socket.end(bytes);
      await hasClosed(socket);
    },
  );

  it('serves those who ask properly after all that, and those alone', async () => {
    authorities.length = 0;
    const socket = await dialUnix(join(folder, 'socket'));
    socket.write(connectRequest('shop-1:10250'));
    expect(await headOf(socket)).toBe(acceptance);
    socket.destroy();
    expect(authorities).toEqual(['shop-1:10250']);
  });

  it('takes no more once it refuses, while what runs goes on', async () => {
    const running = await dialUnix(join(folder, 'socket'));
    running.write(connectRequest('shop-1:10250'));
    expect(await headOf(running)).toBe(acceptance);
    const late = await dialUnix(join(folder, 'socket'));
    const request = connectRequest('shop-2:10250');
    late.write(request.slice(0, 10));
    expect([...listener.clients]).toHaveLength(1);
    // Whoever serves it has seen both connections by then.
    running.write('here');
    expect(String(await once(running, 'data'))).toBe('here');
    await listener.refuse();
    late.write(request.slice(10));
    expect(await headOf(late)).toMatch(/^HTTP\/1\.1 502 this server is being drained/);
    await expect(dialUnix(join(folder, 'socket'))).rejects.toMatchObject({ code: 'ENOENT' });
    running.write('more');
    expect(String(await once(running, 'data'))).toBe('more');
    running.destroy();
  });
});
