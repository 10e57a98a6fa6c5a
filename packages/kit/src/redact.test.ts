import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { redact } from './redact.ts';

it.each([
  ['-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----', '[private key]'],
  ['-----BEGIN PRIVATE KEY-----\ncut off', '[private key]'],
  ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln today', 'got [token] today'],
  ['Authorization: Bearer abcdefghij', 'Authorization: Bearer [redacted]'],
  ['Proxy-Authorization: Basic dXNlcjpwYXNz', 'Proxy-Authorization: Basic [redacted]'],
  ['token=abcdef.0123456789abcdef', 'token=[bootstrap token]'],
  ['http://u:p@proxy:3128/x', 'http://[redacted]@proxy:3128/x'],
  ['nothing to hide at https://host:6443/api', 'nothing to hide at https://host:6443/api'],
])('redacts %j', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.prop([fc.string(), fc.string()])('finds a bootstrap token between any words', (before, after) => {
  expect(redact(`${before} q1w2e3.0a1b2c3d4e5f6g7h ${after}`)).not.toContain('0a1b2c3d4e5f6g7h');
});
