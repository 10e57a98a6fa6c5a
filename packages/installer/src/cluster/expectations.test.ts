import { describe, expect, it } from 'vitest';
import { type Expectation, lacksOf } from './expectations.ts';
import type { NodeSight } from './sight.ts';

const good: NodeSight = {
  ready: { isTrue: true, reason: 'KubeletReady: fine', heartbeatMs: 1_000 },
  hub: true,
  leaseRenewedMs: 1_000,
  sessions: 1,
  isEdge: true,
  isMarked: false,
};
const converted: Expectation = { as: 'converted', startedMs: 1_000 };

describe('what is missing of a node', () => {
  it.each([
    ['nothing', good, converted, []],
    [
      'a report of its kubelet',
      { ...good, ready: { ...good.ready, heartbeatMs: 999 } },
      converted,
      [/has not reported/],
    ],
    [
      'to be Ready',
      { ...good, ready: { ...good.ready, isTrue: false } },
      converted,
      [/not Ready \(KubeletReady: fine\)/],
    ],
    ['a Lease', { ...good, leaseRenewedMs: 999 }, converted, [/Lease/]],
    ['a hub', { ...good, hub: undefined }, converted, [/hub/]],
    ['a hub that reaches the cloud', { ...good, hub: false }, converted, [/hub/]],
    ['a tunnel', { ...good, sessions: 0 }, converted, [/tunnel/]],
    [
      'no hub where none is wanted',
      { ...good, hub: undefined, sessions: 0 },
      { ...converted, as: 'plain' },
      [],
    ],
    [
      'no report of a kubelet that was not started again',
      { ...good, ready: { ...good.ready, heartbeatMs: 0 } },
      { as: 'plain' },
      [],
    ],
  ] as const)('is %s', (_what, sight, expected, lacks) => {
    expect(lacksOf(sight, expected)).toEqual(lacks.map((text) => expect.stringMatching(text)));
  });
});
