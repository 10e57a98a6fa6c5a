import { expect, it } from 'vitest';
import { isLease, requestsIn } from './audit-log.ts';

const event = {
  stage: 'ResponseComplete',
  verb: 'patch',
  requestURI: '/api/v1/nodes/a/status?timeout=10s',
  userAgent: 'kubelet/v1.36.3 (linux/amd64) kubernetes/0',
  sourceIPs: ['192.168.50.11', '10.60.0.11'],
  objectRef: { resource: 'nodes', name: 'a', subresource: 'status' },
  requestReceivedTimestamp: '2026-01-01T00:00:01.500000Z',
};
const log = (...events: readonly object[]): string =>
  events.map((each) => `${JSON.stringify({ ...event, ...each })}\n`).join('');

it('tells who asked for what, as the last hop saw him, and when', () => {
  expect(requestsIn(log({}))).toEqual([
    {
      from: '10.60.0.11',
      atMs: Date.UTC(2026, 0, 1, 0, 0, 1, 500),
      what: 'patch nodes/status',
      namespace: undefined,
      by: 'kubelet',
    },
  ]);
});

it('counts a watch when it begins and not when it ends', () => {
  const watch = { verb: 'watch', objectRef: { resource: 'pods' } };
  const seen = requestsIn(log({ ...watch, stage: 'ResponseStarted' }, watch));
  expect(seen.map(({ what }) => what)).toEqual(['watch pods']);
});

it('names what is no resource by its path', () => {
  const [seen] = requestsIn(log({ verb: 'get', requestURI: '/readyz?verbose', objectRef: undefined }));
  expect(seen?.what).toBe('get /readyz');
});

it('knows a lease', () => {
  const [lease, pod] = requestsIn(
    log({ verb: 'update', objectRef: { resource: 'leases' } }, { objectRef: { resource: 'pods' } }),
  );
  expect([lease, pod].map((each) => each !== undefined && isLease(each))).toEqual([true, false]);
});
