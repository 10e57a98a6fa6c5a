import type { Counter, MetricsRegistry } from '@selvedge/kit';

export interface KubeletApiMetrics {
  /** By the first segment of the route's path: a bounded set. */
  answered(path: string, method: string, status: number): void;
  /** Bytes of a stream that has ended. */
  streamed(bytes: { readonly toPod: number; readonly fromPod: number }): void;
  /** By reason: `source`, `total`. */
  readonly refusedConnections: Counter;
  readonly handshakeFailures: Counter;
}

/** Others are counted as `other`. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** What is read when the metrics are rendered. */
export interface KubeletApiGauges {
  readonly connections: () => number;
  readonly streams: () => number;
  /** 1 or 0. */
  readonly listening: () => number;
}

const gauges = {
  connections: 'Open connections to the kubelet API.',
  streams: 'Open exec, attach and port-forward streams.',
  listening: '1 while the kubelet API listens, 0 before the node has its serving certificate.',
} as const;

export function createKubeletApiMetrics(metrics: MetricsRegistry, read: KubeletApiGauges): KubeletApiMetrics {
  for (const name of ['connections', 'streams', 'listening'] as const) {
    metrics.sampled({ name: `selvedge_kubelet_api_${name}`, help: gauges[name] }, read[name]);
  }
  const requests = metrics.counter({
    name: 'selvedge_kubelet_api_requests_total',
    help: 'Requests to the kubelet API, by path (its first part), method and status of the answer.',
  });
  const bytes = metrics.counter({
    name: 'selvedge_kubelet_api_stream_bytes_total',
    help: 'Bytes of exec, attach and port-forward streams that have ended, by direction: to_pod, from_pod.',
  });
  return {
    answered(path, method, status) {
      const known = methods.has(method) ? method : 'other';
      requests.add({ path, method: known, code: String(status) });
    },
    streamed({ toPod, fromPod }) {
      bytes.add({ direction: 'to_pod' }, toPod);
      bytes.add({ direction: 'from_pod' }, fromPod);
    },
    refusedConnections: metrics.counter({
      name: 'selvedge_kubelet_api_refused_connections_total',
      help: 'Connections that were not taken, by reason: source (too many of one address), total.',
    }),
    handshakeFailures: metrics.counter({
      name: 'selvedge_kubelet_api_handshake_failures_total',
      help: 'TLS handshakes that failed.',
    }),
  };
}
