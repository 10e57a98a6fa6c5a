import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type DerValue, readDer } from '@selvedge/kit/x509';
import { type RequestedNames, parseRequest } from './request.ts';
import {
  goClient,
  goServing,
  mappedAddress,
  opensslServing,
  twoBlocks,
  twoRequests,
} from './testing-requests.ts';
import { newRequest } from './testing.ts';

const invalid = expect.objectContaining({ code: 'Invalid' });

const ofNode: RequestedNames = {
  commonNames: ['system:node:shop-1'],
  organizations: ['system:nodes'],
  otherAttributes: [],
  dnsNames: [],
  addresses: [],
  otherNames: [],
};
const serving = { ...ofNode, dnsNames: ['shop-1'], addresses: ['192.168.1.10', 'fd00::a'] };

describe('a real request is read as it was made', () => {
  test.each<[string, string, RequestedNames]>([
    ['of a kubelet for its client certificate', goClient, ofNode],
    ['of a kubelet for its serving certificate', goServing, serving],
    ['with the line ends of Windows', goServing.replaceAll('\n', '\r\n'), serving],
    [
      'with IPv4 as a part of IPv6',
      mappedAddress,
      { ...ofNode, dnsNames: ['shop-1'], addresses: ['::ffff:10.0.0.10'] },
    ],
    ['of openssl', opensslServing, { ...ofNode, otherAttributes: ['2.5.4.6'], dnsNames: ['shop-1'] }],
  ])('%s', (_of, pem, names) => {
    expect(parseRequest(pem)).toEqual(names);
  });

  test('with names of every kind', async () => {
    const pem = await newRequest({
      subject: 'L=Berlin, O=system:nodes, CN=system:node:shop-1',
      names: [
        { type: 'dns', value: 'shop-1' },
        { type: 'ip', value: '192.168.1.10' },
        { type: 'email', value: 'a@example.com' },
        { type: 'url', value: 'https://example.com/' },
        { type: 'id', value: '1.2.3.4' },
      ],
    });
    expect(parseRequest(pem)).toEqual({
      ...ofNode,
      otherAttributes: ['2.5.4.7'],
      dnsNames: ['shop-1'],
      addresses: ['192.168.1.10'],
      otherNames: ['email', 'url', 'tag 136'],
    });
  });

  test('several organizations, in one part of the subject or in several, are all seen', async () => {
    for (const subject of ['O=a+O=b, CN=c', 'O=a, O=b, CN=c']) {
      expect(parseRequest(await newRequest({ subject })).organizations.toSorted()).toEqual(['a', 'b']);
    }
  });
});

const begin = '-----BEGIN CERTIFICATE REQUEST-----';
const end = '-----END CERTIFICATE REQUEST-----';

describe('what another reader may understand otherwise is Invalid', () => {
  test.each([
    ['two extension requests, the first of which Go skips', twoRequests],
    ['two blocks, the first of which Go skips', twoBlocks],
    ['two blocks', goServing + goClient],
    ['text before', `Request:\n${goServing}`],
    ['text behind', `${goServing}x`],
    ['more on the first line', goServing.replace(begin, `${begin}x`)],
    ['a header', goServing.replace(begin, `${begin}\nA: b\n`)],
    ['another type', goServing.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')],
    ['base64 of another spelling', goServing.replace(`v1\n${end}`, `v1=\n${end}`)],
    ['a great many lines', goServing.replace(begin, `${begin}\n${'A\n'.repeat(1_000_000)}`)],
  ])('%s', (_what, pem) => {
    expect(() => parseRequest(pem)).toThrow(invalid);
  });

  property.prop([
    fc.oneof(
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
    ),
  ])('what is no request', (text) => {
    for (const wrong of [text, `${begin}\n${text}\n${end}\n`]) {
      expect(() => parseRequest(wrong)).toThrow(invalid);
    }
  });
});

const derOf = (pem: string): Buffer => Buffer.from(pem.split('-----')[2] ?? '', 'base64');
const pemOf = (der: Buffer): string =>
  `${begin}\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n${end}\n`;

/** How a length is written: as DER has it, with this many bytes more, or not at all. */
type Form = 0 | 1 | 2 | 'indefinite';

function lengthOf(length: number, form: Form): Buffer {
  if (form === 'indefinite') return Buffer.of(0x80);
  const digits = length < 0x80 && form === 0 ? '' : length.toString(16);
  const bytes = Buffer.from(
    `${'00'.repeat(form === 0 || length < 0x80 ? Math.max(form - 1, 0) : form)}${
      digits.length % 2 === 0 ? digits : `0${digits}`
    }`,
    'hex',
  );
  return bytes.length === 0 ? Buffer.of(length) : Buffer.concat([Buffer.of(0x80 + bytes.length), bytes]);
}

/** Writes a value anew; `next` is asked how to write the length of each value in it. */
function written(value: DerValue, next: () => Form): Buffer {
  const inner = value.tag === 0x04 ? [readDer(value.content)] : value.values;
  const content =
    inner.length === 0 ? value.content : Buffer.concat(inner.map((each) => written(each, next)));
  const form = next();
  const tail = form === 'indefinite' ? Buffer.of(0, 0) : Buffer.of();
  return Buffer.concat([Buffer.of(value.tag), lengthOf(content.length, form), content, tail]);
}

const original = readDer(derOf(goServing));
let count = 0;
const same = written(original, () => {
  count += 1;
  return 0;
});

test('the lengths below are all that there are', () => {
  expect(pemOf(same)).toBe(goServing);
  expect(count).toBe(32);
});

property.prop([fc.nat({ max: count - 1 }), fc.constantFrom<Form>(1, 2, 'indefinite')])(
  'a length that is written otherwise than in DER, wherever it is, is Invalid',
  (at, form) => {
    let seen = -1;
    const der = written(original, () => {
      seen += 1;
      return seen === at ? form : 0;
    });
    expect(() => parseRequest(pemOf(der))).toThrow(invalid);
  },
);

property.prop([fc.nat({ max: same.length - 1 }), fc.integer({ min: 1, max: 255 })])(
  'one changed byte is Invalid or another request, never a crash',
  (at, change) => {
    const der = Buffer.from(same);
    der[at] = (der[at] ?? 0) ^ change;
    try {
      parseRequest(pemOf(der));
    } catch (error) {
      expect(error).toEqual(invalid);
    }
  },
);

test('values that nest without end are Invalid', () => {
  let der = Buffer.of(0x30, 0);
  for (let depth = 0; depth < 40; depth += 1)
    der = Buffer.concat([Buffer.of(0x30), lengthOf(der.length, 0), der]);
  expect(() => parseRequest(pemOf(der))).toThrow(invalid);
});
