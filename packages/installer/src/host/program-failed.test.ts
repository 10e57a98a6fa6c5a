import { expect, it } from 'vitest';
import { programFailed } from './program-failed.ts';

const host = { name: 'shop-1' };
const ended = (stderr: string) => ({ exitCode: 3, stdout: Buffer.alloc(0), stderr: Buffer.from(stderr) });

it.each([
  ['what it said', 'nft: no such table\n', 'nft on shop-1: nft: no such table', /fix the cause on shop-1/],
  ['its exit code, if it said nothing', '\n', 'nft on shop-1: exit code 3', /fix the cause on shop-1/],
  ['a full disk', 'sh: write error: No space left on device', /write error/, /free some space/],
])('why a program failed is told: %s', (_what, said, message, hint) => {
  expect(programFailed({ what: 'nft' }, host, ended(said))).toMatchObject({
    code: 'Internal',
    message,
    hint,
  });
});

it('of what it said no more than the end is told', () => {
  const { message } = programFailed({ what: 'apt-get' }, host, ended(`${'x'.repeat(5_000)} the end`));
  expect(message.length).toBeLessThan(1_100);
  expect(message).toContain('the end');
});

it('who knows better what to do says so, but for a disk that is full', () => {
  const failed = { what: 'systemctl stop a', code: 'Unavailable', hint: 'see its log' } as const;
  expect(programFailed(failed, host, ended('no'))).toMatchObject({
    code: 'Unavailable',
    hint: 'see its log',
  });
  expect(programFailed(failed, host, ended('Disk quota exceeded'))).toMatchObject({
    hint: /free some space/,
  });
});
