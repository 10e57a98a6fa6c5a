import type { KubeClient } from '@selvedge/kube';
import type { TokenRequest } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { createTokenSource } from './tokens.ts';

const query = {
  pod: { namespace: 'shop', name: 'web', uid: 'u' },
  serviceAccount: 'clerk',
  audiences: [],
  expirationSeconds: 86_400,
};
const expirationTimestamp = '2026-01-01T01:00:00Z';

/** An API server that grants that life, or does not say. */
function source(expirationSeconds: number | undefined): ReturnType<typeof createTokenSource> {
  const spec = { audiences: [], ...(expirationSeconds === undefined ? {} : { expirationSeconds }) };
  const answer: TokenRequest = { metadata: {}, spec, status: { token: 't', expirationTimestamp } };
  const createSubresource = (() => Promise.resolve(answer)) as unknown as KubeClient['createSubresource'];
  return createTokenSource({ client: { createSubresource } });
}

test.each([
  ['is the one that was granted', 3_600, 3_600],
  ['is the one asked for where the answer does not say', undefined, 86_400],
])('the life of a token %s', async (_, granted, lifetimeSeconds) => {
  const expiresAtMs = Date.parse(expirationTimestamp);
  const token = await source(granted).request(query, new AbortController().signal);
  expect(token).toEqual({ token: 't', expiresAtMs, lifetimeSeconds });
});
