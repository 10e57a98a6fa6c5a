import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { expect, it } from 'vitest';
import { certificateBlocks, certificatesOf, pem } from './pem.ts';

const [one = '', other = ''] = rootCertificates;
const prints = [one, other].map((each) => new X509Certificate(each).fingerprint256);
const printsIn = (text: string): readonly string[] => certificatesOf(text).map((each) => each.fingerprint256);

it('certificates are found among other things, in their order', () => {
  const key = pem('PRIVATE KEY', Buffer.from('a key'));
  const text = `subject=CN = a\n${one}\n# a comment - of a person\n${key}${other}`;
  expect(certificateBlocks(text)).toEqual([`${one}\n`, `${other}\n`]);
  expect(printsIn(text)).toEqual(prints);
  expect(printsIn(text.replaceAll('\n', '\r\n'))).toEqual(prints);
  expect(certificatesOf(key)).toEqual([]);
});

it('one that is cut off is left out, and hides none behind it', () => {
  expect(certificateBlocks(`${one.slice(0, 200)}\n${other}`)).toEqual([`${other}\n`]);
  expect(certificateBlocks(one.slice(0, -10))).toEqual([]);
});

it('a block that holds something else is an error', () => {
  expect(() => certificatesOf(pem('CERTIFICATE', Buffer.from('not one')))).toThrow(/asn1/);
});
