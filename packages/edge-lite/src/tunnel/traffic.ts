import type { MetricsRegistry } from '@selvedge/kit';
import type { TargetTraffic } from '@selvedge/tunnel/agent';
import type { Permission } from './allow-list.ts';

type Bytes = Pick<TargetTraffic, 'receivedBytes' | 'sentBytes'>;

const nothing: Bytes = { receivedBytes: 0, sentBytes: 0 };

/** What was carried between two looks; a target that was forgotten in between begins anew. */
function since(before: Bytes, now: Bytes): Bytes {
  if (now.receivedBytes < before.receivedBytes || now.sentBytes < before.sentBytes) return now;
  return {
    receivedBytes: now.receivedBytes - before.receivedBytes,
    sentBytes: now.sentBytes - before.sentBytes,
  };
}

export interface TrafficDeps {
  readonly metrics: MetricsRegistry;
  /** The targets used last, as the agent of the tunnel counts them. */
  readonly targets: () => readonly TargetTraffic[];
  readonly permissionOf: (target: string) => Permission;
}

/** Registers the bytes by kind of target: pods come and go, and each would be a series of its own. */
export function watchTraffic({ metrics, targets, permissionOf }: TrafficDeps): void {
  const sums: Record<Permission, Bytes> = { kubelet: nothing, pod: nothing, config: nothing };
  let last = new Map<string, Bytes>();
  const look = (): void => {
    const now = new Map<string, Bytes>();
    for (const { target, receivedBytes, sentBytes } of targets()) {
      const bytes = { receivedBytes, sentBytes };
      const more = since(last.get(target) ?? nothing, bytes);
      const kind = permissionOf(target);
      now.set(target, bytes);
      sums[kind] = {
        receivedBytes: sums[kind].receivedBytes + more.receivedBytes,
        sentBytes: sums[kind].sentBytes + more.sentBytes,
      };
    }
    last = now;
  };
  const register = (name: string, help: string, pick: (bytes: Bytes) => number): void =>
    metrics.sampledSeries({ name: `selvedge_tunnel_${name}_total`, help, type: 'counter' }, () => {
      look();
      return Object.entries(sums).map(([kind, bytes]) => ({ labels: { kind }, value: pick(bytes) }));
    });
  register('target_received_bytes', 'Bytes that targets sent.', ({ receivedBytes }) => receivedBytes);
  register('target_sent_bytes', 'Bytes that targets were sent.', ({ sentBytes }) => sentBytes);
}
