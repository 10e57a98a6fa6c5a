import { SelvedgeError } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type AdmissionDeps,
  type Denial,
  denialMessage,
  denialOf,
  parseReview,
  reviewAnswer,
} from './review.ts';
import { requestedNames } from './testing.ts';

const deps: AdmissionDeps = {
  isBanned: (node) => node === 'bad',
  namesIn: (pem) => {
    if (pem === 'ambiguous') throw new SelvedgeError('it is two', { code: 'Invalid' });
    return requestedNames({ commonNames: [pem] });
  },
};

interface Asked {
  readonly username: string;
  readonly group?: string;
  readonly resource?: string;
  readonly object?: unknown;
}

const review = ({ username, group = '', resource = 'pods', object = null }: Asked): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u1', resource: { group, version: 'v1', resource }, userInfo: { username }, object },
  });

const denial = (asked: Asked): Denial | undefined => denialOf(parseReview(review(asked)), deps);

const csr = (pem: string): Omit<Asked, 'username'> => ({
  group: 'certificates.k8s.io',
  resource: 'certificatesigningrequests',
  object: { spec: { request: Buffer.from(pem).toString('base64') } },
});

describe('admission', () => {
  test.each<[string, Asked, string | undefined]>([
    ['a write of a banned node', { username: 'system:node:bad' }, 'bad'],
    ['a write of another node', { username: 'system:node:good' }, undefined],
    ['a write of somebody whose name only looks like it', { username: 'system:node' }, undefined],
    ['a write of a person', { username: 'bad' }, undefined],
    ['a certificate for a banned node', { username: 'system:bootstrap:x', ...csr('system:node:bad') }, 'bad'],
    ['a certificate for another node', { username: 'jane', ...csr('system:node:good') }, undefined],
    ['a certificate for a person', { username: 'jane', ...csr('jane') }, undefined],
    ['a deletion of a request', { username: 'jane', ...csr('ambiguous'), object: null }, undefined],
    [
      'an object that only looks like one',
      { username: 'jane', object: csr('system:node:bad').object },
      undefined,
    ],
  ])('%s', (_what, asked, node) => {
    expect(denial(asked)).toEqual(node === undefined ? undefined : { kind: 'banned', node });
  });

  test('a certificate request that signers may read otherwise is denied to everybody, with the reason', () => {
    const denied = denial({ username: 'jane', ...csr('ambiguous') });
    expect(denied).toEqual({ kind: 'unreadable', why: 'it is two' });
    expect(JSON.parse(reviewAnswer('u1', denied && denialMessage(denied)))).toMatchObject({
      response: { allowed: false, status: { code: 403, message: expect.stringContaining('it is two') } },
    });
  });

  test('is answered as the API server wants it', () => {
    expect(JSON.parse(reviewAnswer('u1', undefined))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u1', allowed: true },
    });
    expect(JSON.parse(reviewAnswer('u1', denialMessage({ kind: 'banned', node: 'bad' })))).toMatchObject({
      response: {
        uid: 'u1',
        allowed: false,
        status: { code: 403, message: expect.stringContaining('node bad') },
      },
    });
  });

  property.prop([fc.oneof(fc.json(), fc.string())])('whatever is sent is a review or Invalid', (text) => {
    expect(() => parseReview(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});
