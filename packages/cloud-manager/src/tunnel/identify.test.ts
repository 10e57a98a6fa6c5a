import { X509Certificate } from 'node:crypto';
import { systemClock } from '@selvedge/kit';
import { beforeAll, expect, test } from 'vitest';
import {
  type Authority,
  type CertificateRequest,
  newAuthority,
  openAuthority,
} from '../../../../test/bed/pki/certificate.ts';
import { identifyNode } from './identify.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await openAuthority(await newAuthority('test', Date.now()), systemClock);
});

test.each<[string, CertificateRequest, object]>([
  [
    'a node is known by its name and group',
    { commonName: 'system:node:shop-1', organizations: ['system:nodes'] },
    { kind: 'accepted', peer: 'shop-1' },
  ],
  [
    'a banned node is refused',
    { commonName: 'system:node:bad', organizations: ['system:nodes'] },
    { kind: 'refused', reason: 'node bad is banned' },
  ],
  [
    'the name alone is not enough',
    { commonName: 'system:node:shop-1', organizations: ['dev'] },
    { kind: 'refused', reason: 'system:node:shop-1 is no node' },
  ],
  [
    'the group alone is not enough',
    { commonName: 'shop-1', organizations: ['system:nodes'] },
    { kind: 'refused', reason: 'shop-1 is no node' },
  ],
  [
    'a node has a name',
    { commonName: 'system:node:', organizations: ['system:nodes'] },
    { kind: 'refused', reason: 'system:node: is no node' },
  ],
])('%s', async (_what, request, identity) => {
  const { certificate } = await authority.issue(request);
  expect(identifyNode(new X509Certificate(certificate), (node) => node === 'bad')).toEqual(identity);
});
