import { fc, it } from '@fast-check/vitest';
import { validateHeaderValue } from 'node:http';
import { describe, expect } from 'vitest';
import { decodeReason, encodeReason, maxReasonBytes } from './reason.ts';

describe('a reason', () => {
  it('stays readable on the wire', () => {
    expect(encodeReason('10.0.0.1:22 is not in the allow-list')).toBe('10.0.0.1:22 is not in the allow-list');
    expect(encodeReason('100 % sicher\r\nx: y für ü')).toBe('100 %25 sicher%0D%0Ax: y f%C3%BCr %C3%BC');
  });

  it.prop([fc.string({ unit: 'grapheme', maxLength: 60 })])('comes out as it went in', (text) => {
    const safe = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').trim();
    expect(decodeReason(encodeReason(text))).toBe(safe);
  });

  it.prop([fc.string({ unit: 'binary', maxLength: 2_000 })])('is a header value within its cap', (text) => {
    const encoded = encodeReason(text);
    expect(encoded.length).toBeLessThanOrEqual(maxReasonBytes);
    expect(() => validateHeaderValue('selvedge-reason', encoded)).not.toThrow();
    expect(encoded).toMatch(/^[\x20-\x7e]*$/);
  });

  it.prop([fc.anything()])('is read from anything without an error or a control character', (value) => {
    const reason = decodeReason(value);
    expect(reason.length).toBeLessThanOrEqual(maxReasonBytes);
    expect(reason).not.toMatch(/[\p{Cc}]/u);
  });

  it.prop([fc.string({ unit: 'binary' })])('is read from any text without a control character', (value) => {
    expect(decodeReason(value)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  });
});
