import { SelvedgeError } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { webhookConfiguration } from './configuration.ts';
import {
  type AdmissionDeps,
  type Denial,
  denialMessage,
  denialOf,
  parseReview,
  reviewAnswer,
} from './review.ts';

const deps: AdmissionDeps = {
  isBanned: (node) => node === 'bad',
  commonNames: (pem) => {
    if (pem === 'ambiguous') throw new SelvedgeError('it is two', { code: 'Invalid' });
    return [pem];
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

test('the registration asks about what nodes write, certificate requests and deletions only, and fails open', () => {
  const byService = webhookConfiguration({ service: { namespace: 'a', name: 'b', port: 443 } }, 'PEM');
  expect(byService).toMatchObject({
    webhooks: [
      {
        failurePolicy: 'Ignore',
        clientConfig: {
          service: { namespace: 'a', name: 'b', port: 443, path: '/admission/ban' },
          caBundle: Buffer.from('PEM').toString('base64'),
        },
        // Whatever a node can write: every resource of every group and each subresource, wherever it is.
        rules: [
          {
            apiGroups: ['*'],
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
            resources: ['*/*'],
            scope: '*',
          },
        ],
        matchPolicy: 'Equivalent',
        matchConditions: [
          { expression: "request.userInfo.username.startsWith('system:node:')" },
          {
            expression: "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])",
          },
        ],
      },
      {
        failurePolicy: 'Ignore',
        rules: [
          {
            apiGroups: ['certificates.k8s.io'],
            operations: ['CREATE'],
            resources: ['certificatesigningrequests'],
          },
        ],
        matchConditions: [{ expression: "!request.userInfo.username.startsWith('system:node:')" }],
      },
      {
        failurePolicy: 'Ignore',
        clientConfig: { service: { path: '/admission/guard' } },
        rules: [{ operations: ['DELETE'], resources: ['nodes', 'pods'] }],
      },
    ],
  });
  const byUrl = webhookConfiguration({ url: 'https://10.0.0.1:9443/' }, 'PEM');
  expect(byUrl).toMatchObject({
    webhooks: [
      { clientConfig: { url: 'https://10.0.0.1:9443/admission/ban' } },
      {},
      { clientConfig: { url: 'https://10.0.0.1:9443/admission/guard' } },
    ],
  });
});
