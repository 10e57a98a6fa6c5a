import { type Random, SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import {
  type KubeClient,
  createKubeClient,
  createKubeMetrics,
  fileCredentials,
  ifFound,
  resources,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type Config, type Paths, loadConfig, paths } from '../config/index.ts';
import { originating } from '../exit-code.ts';
import { version } from '../version.ts';

/** What `edge-lite status` prints. */
export interface Status {
  readonly version: string;
  readonly nodeName: string;
  /** The hub's own words; see `/selvedge/status`. */
  readonly hub: unknown;
  /** As the hub shows it. Undefined while there is none. */
  readonly node: NodeStatus | undefined;
}

export interface NodeStatus {
  readonly labels: Readonly<Record<string, string>>;
  readonly podCIDRs: readonly string[];
  readonly conditions: NonNullable<NonNullable<Node['status']>['conditions']>;
}

const timeoutMs = 5_000;

function clientOf(config: Config, places: Paths, random: Random): KubeClient {
  const deps = { clock: systemClock, random, log: silentLogger };
  const credentials = fileCredentials(
    {
      certificateAuthority: { file: places.hubBundlePath },
      certificate: { file: places.clientPemPath },
      privateKey: { file: places.clientPemPath },
    },
    deps,
  );
  const { hub } = config.modules;
  if (hub === undefined || hub.port === 0) {
    throw new SelvedgeError('the config has no hub with a port of its own', { code: 'Invalid' });
  }
  return createKubeClient(
    { servers: [`https://127.0.0.1:${hub.port}`], userAgent: `edge-lite/${version}`, maxRetries: 0 },
    { ...deps, credentials, metrics: createKubeMetrics(createMetricsRegistry()) },
  );
}

async function nodeOf(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<NodeStatus | undefined> {
  const node = await ifFound(client.get(resources.nodes, { name }, { timeoutMs, signal }));
  if (node === undefined) return undefined;
  const { metadata, spec, status } = node;
  return {
    labels: metadata.labels ?? {},
    podCIDRs: spec?.podCIDRs ?? [],
    conditions: status?.conditions ?? [],
  };
}

/** `edge-lite status`: what the edge-lite that runs says of itself and of its Node. Rejects with `Unavailable` if it does not. */
export async function statusCommand(
  { configFile, random }: { readonly configFile: string; readonly random: Random },
  signal: AbortSignal,
): Promise<Status> {
  const config = await originating('config', () => loadConfig(configFile));
  const client = clientOf(config, paths(config.root), random);
  try {
    const answer = await client.raw({ method: 'GET', path: '/selvedge/status', timeoutMs, signal });
    const { nodeName } = config;
    return {
      version,
      nodeName,
      hub: JSON.parse(answer.body.toString()),
      node: await nodeOf(client, nodeName, signal),
    };
  } catch (cause) {
    signal.throwIfAborted();
    throw new SelvedgeError('edge-lite does not answer', {
      code: 'Unavailable',
      cause,
      hint: 'journalctl -u edge-lite says whether it runs, and why not',
    });
  } finally {
    await client.close();
  }
}
