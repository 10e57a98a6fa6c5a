import { fc, test as property } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { identifier, sequence, unsigned } from './der.ts';
import { identifierOf, readDer } from './read-der.ts';

it.each([
  ['2.5.29.17', '0603551d11'],
  ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
  ['1.3.6.1.5.5.7.3.1', '06082b06010505070301'],
])('the identifier %s has the bytes that the standards give', (text, hex) => {
  expect(identifier(text).toString('hex')).toBe(hex);
});

const arc = fc.nat(2 ** 31 - 1);
property.prop([fc.nat(1), fc.nat(39), fc.array(arc)])(
  'an identifier is read as it was written',
  (root, first, others) => {
    const text = [root, first, ...others].join('.');
    expect(identifierOf(readDer(identifier(text)))).toBe(text);
  },
);

property.prop([fc.array(fc.uint8Array({ maxLength: 300 }))])(
  'values of any length are read as they were written',
  (bodies) => {
    const { values } = readDer(sequence(...bodies.map((body) => unsigned(Uint8Array.of(1, ...body)))));
    expect(values.map(({ content }) => new Uint8Array(content))).toEqual(
      bodies.map((body) => Uint8Array.of(1, ...body)),
    );
  },
);
