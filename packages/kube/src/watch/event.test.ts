import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseWatchEvent } from './event.ts';

const line = (type: string, object: object): string => JSON.stringify({ type, object });
const metadata = { name: 'a', resourceVersion: '7' };

describe('watch events', () => {
  it('reads changes', () => {
    expect(parseWatchEvent(line('ADDED', { metadata }), 'w')).toEqual({
      type: 'ADDED',
      object: { metadata },
    });
    expect(parseWatchEvent(line('DELETED', { metadata }), 'w')).toMatchObject({ type: 'DELETED' });
  });

  it('reads bookmarks and knows the one that ends the initial events', () => {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    expect(parseWatchEvent(line('BOOKMARK', { metadata }), 'w')).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '7',
      endOfInitialEvents: false,
    });
    expect(parseWatchEvent(line('BOOKMARK', { metadata: { ...metadata, annotations } }), 'w')).toMatchObject({
      endOfInitialEvents: true,
    });
  });

  it.each([
    [410, 'Expired', undefined, 'Gone'],
    [500, 'InternalError', undefined, 'Internal'],
    [504, 'Timeout', [{ reason: 'ResourceVersionTooLarge' }], 'Gone'],
    [429, 'TooManyRequests', undefined, 'ResourceExhausted'],
  ])('throws the error of a %i %s', (code, reason, causes, expected) => {
    const status = { kind: 'Status', code, reason, message: 'said', details: { causes } };
    expect(() => parseWatchEvent(line('ERROR', status), 'watch pods')).toThrow(
      expect.objectContaining({ code: expected, message: 'watch pods: said' }),
    );
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    line('NEW', { metadata }),
    '{',
  ])('refuses %s', (text) => {
    expect(() => parseWatchEvent(text, 'w')).toThrow(expect.objectContaining({ code: 'Corrupt' }));
  });

  property.prop([fc.oneof(fc.string(), fc.json())])('throws nothing unexpected', (text) => {
    expect(() => parseWatchEvent(text, 'w')).toThrow(expect.objectContaining({ name: 'SelvedgeError' }));
  });
});
