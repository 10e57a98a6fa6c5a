import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import {
  allocate,
  localSteps,
  natural,
  naturalText,
  parseVersion,
  upstreamOf,
  upstreamText,
} from './versions.ts';

const upstream = fc.bigInt({ min: 0n, max: 2n ** 63n });
const step = fc.bigInt({ min: 0n, max: localSteps - 1n });

test.prop([upstream, step])(
  'the upstream version comes back, whatever local steps were made',
  (version, local) => {
    expect(upstreamOf(natural(version) + local)).toBe(version);
  },
);

test.prop([upstream, upstream])('the order of upstream versions stays', (a, b) => {
  expect(natural(a) < natural(b)).toBe(a < b);
});

test.prop([upstream, upstream])(
  'a new version is above the last one and never below its natural place',
  (at, last) => {
    const version = allocate(at, last);
    expect(version > last).toBe(true);
    expect(version >= natural(at)).toBe(true);
    expect(version === natural(at) || version === last + 1n).toBe(true);
  },
);

test.prop([upstream])('text goes there and back', (version) => {
  expect(upstreamText(naturalText(version.toString()))).toBe(version.toString());
});

test.prop([fc.string().filter((text) => !/^\d{1,40}$/.test(text))])(
  'what is not decimal stays as it is',
  (text) => {
    expect([naturalText(text), upstreamText(text), parseVersion(text)]).toEqual([text, text, undefined]);
  },
);
