import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { systemClock } from '@selvedge/kit';
import { parseTarget } from '@selvedge/tunnel';
import { expect, test } from 'vitest';
import { startEcho } from '../../../../test/contract/tunnel-world.ts';
import { createDial } from './dial.ts';

const { signal } = new AbortController();

/** A resolver that gives every name these addresses. */
const resolving =
  (...addresses: readonly string[]): LookupFunction =>
  (_name, _options, report) =>
    report(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

async function said(host: string, port: number, dial = createDial({}, { clock: systemClock })) {
  const stream = await dial({ host, port }, signal);
  stream.end('hello');
  return text(stream);
}

test.each([
  '127.0.0.1:2379',
  '127.9.9.9:80',
  '0.0.0.0:80',
  '169.254.169.254:80',
  '224.0.0.1:80',
  '255.255.255.255:80',
  '[::]:80',
  '[::1]:80',
  '[::ffff:127.0.0.1]:80',
  '[::ffff:7f00:1]:80',
  '[0:0:0:0:0:0:0:1]:80',
  '[fe80::1]:80',
  '[ff02::1]:80',
  '[fd00:ec2::254]:80',
  'localhost:80',
])('%s is not dialled', async (asked) => {
  const { host = '', port = 0 } = parseTarget(asked) ?? {};
  await expect(said(host, port)).rejects.toMatchObject({ code: 'Forbidden' });
});

test('a name is as good as the addresses that it has', async () => {
  await using echo = await startEcho();
  const { port = 0 } = parseTarget(echo.address) ?? {};
  const ask = (allow: readonly string[], ...addresses: readonly string[]): Promise<string> =>
    said('db.example', port, createDial({ allow }, { clock: systemClock, lookup: resolving(...addresses) }));
  await expect(ask([], '169.254.169.254', '::1')).rejects.toMatchObject({ code: 'Forbidden' });
  await expect(ask([], '127.0.0.1')).rejects.toMatchObject({ code: 'Forbidden' });
  expect(await ask(['127.0.0.0/8'], '169.254.169.254', '127.0.0.1')).toBe('hello');
});

test('what the config allows is dialled, and nothing beside it', async () => {
  await using echo = await startEcho();
  const { port = 0 } = parseTarget(echo.address) ?? {};
  const dial = createDial({ allow: ['127.0.0.1/32'] }, { clock: systemClock });
  expect(await said('127.0.0.1', port, dial)).toBe('hello');
  await expect(said('127.0.0.2', port, dial)).rejects.toMatchObject({ code: 'Forbidden' });
});

test('a name that the resolver does not know, and a port that is closed, are unavailable', async () => {
  const lookup: LookupFunction = (name, _options, report) =>
    report(Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' }), '');
  const unknown = createDial({}, { clock: systemClock, lookup });
  await expect(said('nowhere.example', 80, unknown)).rejects.toMatchObject({ code: 'Unavailable' });
  const local = createDial({ allow: ['127.0.0.0/8'] }, { clock: systemClock });
  await expect(said('127.0.0.1', 1, local)).rejects.toMatchObject({ code: 'Unavailable' });
});
