import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { containerWith, podWith } from '../testing.ts';
import { metadataField, resourceField } from './field-value.ts';
import { quote } from './quote.ts';

describe('metadata fields', () => {
  it('show labels and annotations sorted, as Go quotes them', () => {
    const pod = podWith({}, { labels: { b: 'two\nlines', a: '"quoted"\t\\', ä: 'ünï\u0001' } });
    expect(metadataField(pod, 'metadata.labels')).toBe(
      String.raw`a="\"quoted\"\t\\"
b="two\nlines"
ä="ünï\x01"`,
    );
    expect(metadataField(pod, 'metadata.annotations')).toBe('');
  });

  it.each([
    ["metadata.labels['b']", 'two'],
    ["metadata.annotations['a[b]c']", 'odd'],
    ["metadata.labels['']", ''],
  ])('know the key in %s', (path, value) => {
    const pod = podWith({}, { labels: { b: 'two' }, annotations: { 'a[b]c': 'odd' } });
    expect(metadataField(pod, path)).toBe(value);
  });

  it.each([
    ["metadata.name['x']", `fieldPath "metadata.name['x']" does not support subscript`],
    ['spec.nodeName', 'unsupported fieldPath: spec.nodeName'],
  ])('refuse %s', (path, message) => {
    expect(() => metadataField(podWith(), path)).toThrow(message);
  });
});

describe('quoting', () => {
  property.prop([fc.string({ unit: 'grapheme-ascii' })])(
    'can be read back as JSON for plain ASCII',
    (text) => {
      expect(JSON.parse(quote(text))).toBe(text);
    },
  );

  property.prop([fc.string({ unit: 'binary' })])('leaves no line break or bare quote inside', (text) => {
    expect(quote(text).slice(1, -1)).not.toMatch(/[\n\r]|(?<!\\)(?:\\\\)*"/);
  });
});

describe('resource fields', () => {
  const whole = fc.bigInt({ min: 1n, max: 2n ** 50n });

  property.prop([whole, whole])('are divided exactly and rounded up', (memory, divisor) => {
    const container = containerWith({ resources: { limits: { memory: String(memory) } } });
    const selector = { resource: 'limits.memory', divisor: String(divisor) };
    const value = BigInt(resourceField({ pod: podWith(), container, selector, allocatable: {} }));
    expect(value * divisor).toBeGreaterThanOrEqual(memory);
    expect((value - 1n) * divisor).toBeLessThan(memory);
  });
});
