import { Container, PodSandbox, message } from '@selvedge/containerd-grpc-types';
import { describe, expect, it } from 'vitest';

import { labels } from './labels.ts';
import { changedPods, fingerprints, relistDelayMs } from './relist.ts';

const of = (uid: string): Record<string, string> => ({ [labels.podUid]: uid });
const sandbox = (id: string, uid: string, state: 0 | 1 = 0): PodSandbox =>
  message(PodSandbox, { id, labels: of(uid), state });
const container = (id: string, uid: string, state: 0 | 1 | 2 = 1): Container =>
  message(Container, { id, labels: of(uid), state });

describe('a relist', () => {
  const before = fingerprints({
    sandboxes: [sandbox('s1', 'a'), sandbox('s2', 'b'), sandbox('s3', 'c')],
    containers: [container('c1', 'a'), container('c2', 'b')],
  });

  it('sees pods that came, went and changed, in any order of the list', () => {
    const after = fingerprints({
      sandboxes: [sandbox('s2', 'b'), sandbox('s1', 'a'), sandbox('s4', 'd')],
      containers: [container('c2', 'b', 2), container('c1', 'a')],
    });
    expect(new Set(changedPods(before, after))).toEqual(new Set(['b', 'c', 'd']));
    expect(changedPods(after, after)).toEqual([]);
  });

  it('passes over what is no pod of a kubelet', () => {
    const other = { sandboxes: [message(PodSandbox, { id: 'x' })], containers: [] };
    expect(fingerprints(other).size).toBe(0);
  });

  it('slows down when all is quiet and when the runtime tells by itself', () => {
    const pace = { busyMs: 1, quietMs: 2, quietRounds: 3, evidentMs: 4 };
    const delays = [0, 2, 3, 9].map((quiet) => relistDelayMs(pace, { quiet, streaming: false }));
    expect([...delays, relistDelayMs(pace, { quiet: 0, streaming: true })]).toEqual([1, 1, 2, 2, 4]);
  });
});
