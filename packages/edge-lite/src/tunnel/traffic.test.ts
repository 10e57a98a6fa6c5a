import { createMetricsRegistry } from '@selvedge/kit';
import type { TargetTraffic } from '@selvedge/tunnel/agent';
import { expect, test } from 'vitest';
import type { Permission } from './allow-list.ts';
import { watchTraffic } from './traffic.ts';

const kinds: Readonly<Record<string, Permission>> = { 'shop-7:10250': 'kubelet', 'plc:502': 'config' };

function world(): {
  readonly set: (...targets: readonly TargetTraffic[]) => void;
  readonly sent: () => string;
} {
  const metrics = createMetricsRegistry();
  let now: readonly TargetTraffic[] = [];
  watchTraffic({ metrics, targets: () => now, permissionOf: (target) => kinds[target] ?? 'pod' });
  return {
    set: (...targets) => void (now = targets),
    sent: () =>
      metrics
        .render()
        .match(/(?<=^selvedge_tunnel_target_sent_bytes_total).*$/gm)
        ?.join(' ') ?? '',
  };
}

const traffic = (target: string, sentBytes: number): TargetTraffic => ({
  target,
  streams: 1,
  receivedBytes: 2 * sentBytes,
  sentBytes,
});

test('bytes are summed by kind of target, and never go back', () => {
  const { set, sent } = world();
  expect(sent()).toBe('{kind="kubelet"} 0 {kind="pod"} 0 {kind="config"} 0');
  set(traffic('shop-7:10250', 10), traffic('10.244.3.7:80', 1), traffic('10.244.3.8:80', 2));
  expect(sent()).toBe('{kind="kubelet"} 10 {kind="pod"} 3 {kind="config"} 0');
  set(traffic('shop-7:10250', 15), traffic('10.244.3.8:80', 2), traffic('plc:502', 7));
  expect(sent()).toBe('{kind="kubelet"} 15 {kind="pod"} 3 {kind="config"} 7');
  // Forgotten as one of too many, and counted anew.
  set(traffic('shop-7:10250', 4));
  expect(sent()).toBe('{kind="kubelet"} 19 {kind="pod"} 3 {kind="config"} 7');
});
