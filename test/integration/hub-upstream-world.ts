import { createMetricsRegistry, systemClock, type MetricsRegistry } from '@selvedge/kit';
import { recordingLogger, seededRandom, type RecordedLine } from '@selvedge/kit/testing';
import { createKubeMetrics, staticCredentials, type Credentials } from '@selvedge/kube';
import {
  createUpstream,
  type Connectivity,
  type Upstream,
  type UpstreamOptions,
  type UpstreamRequest,
  type UpstreamResponse,
} from '../../packages/edge-lite/src/hub/upstream/index.ts';
import { waitFor } from '../bed/wait.ts';

type State<K extends Connectivity['kind']> = Extract<Connectivity, { readonly kind: K }>;

/** An upstream with what it says and counts, and when it changed. */
export interface UpstreamWorld extends AsyncDisposable {
  readonly upstream: Upstream;
  readonly registry: MetricsRegistry;
  readonly lines: readonly RecordedLine[];
  /** Every change so far. */
  readonly told: readonly Connectivity[];
  /** Resolves once it is of that kind. */
  until<K extends Connectivity['kind']>(kind: K, timeoutMs?: number): Promise<State<K>>;
}

export interface UpstreamWorldOptions extends Partial<UpstreamOptions> {
  /** Of the node. */
  readonly credentials: Credentials;
  /** A token for each pod sponsor, by `namespace/serviceAccount`. */
  readonly tokens?: Readonly<Record<string, string>>;
}

const { signal } = new AbortController();

export async function startUpstream(
  urls: readonly string[],
  { credentials, tokens = {}, ...options }: UpstreamWorldOptions,
): Promise<UpstreamWorld> {
  const registry = createMetricsRegistry();
  const log = recordingLogger();
  const told: Connectivity[] = [];
  const upstream = createUpstream(
    { servers: urls as [string, ...string[]], userAgent: 'selvedge-test', ...options },
    {
      clock: systemClock,
      random: seededRandom(1),
      log,
      metrics: registry,
      kubeMetrics: createKubeMetrics(registry),
      node: staticCredentials(credentials),
      sponsorToken: async ({ namespace, serviceAccount }) => tokens[`${namespace}/${serviceAccount}`] ?? '',
    },
  );
  upstream.onConnectivity((now) => told.push(now));
  await upstream.start(signal);
  return {
    upstream,
    registry,
    lines: log.lines,
    told,
    until: <K extends Connectivity['kind']>(kind: K, timeoutMs = 15_000) =>
      waitFor({ what: `${kind} upstream`, timeoutMs, everyMs: 10 }, systemClock, async () => {
        const { connectivity } = upstream;
        return connectivity.kind === kind ? (connectivity as State<K>) : undefined;
      }),
    [Symbol.asyncDispose]: () => upstream.stop(),
  };
}

export const get = (path: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  method: 'GET',
  path,
  headers: { accept: 'application/json' },
  signal,
  ...more,
});

export async function textOf({ body }: Pick<UpstreamResponse, 'body'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

/** The sum of the samples of a metric. */
export function sumOf(registry: MetricsRegistry, name: string): number {
  const samples = registry.render().matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return Array.from(samples, ([, value]) => Number(value)).reduce((a, b) => a + b, 0);
}
