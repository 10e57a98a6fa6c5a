import { randomUUID } from 'node:crypto';
import { managerNamespace } from '@selvedge/api';
import {
  type ProgramHost,
  type Random,
  SelvedgeError,
  createJsonLogger,
  createMetricsRegistry,
  runProgram,
  systemClock,
} from '@selvedge/kit';
import {
  type ClusterAccess,
  createKubeClient,
  createKubeMetrics,
  fileCredentials,
  inClusterAccess,
  kubeconfigCredentials,
  loadKubeconfig,
} from '@selvedge/kube';
import { type Config, loadConfig } from './config/index.ts';
import { exitCodeOf, originating } from './exit-code.ts';
import { createManager } from './manager.ts';
import { version } from './version.ts';

/** What `main` takes from the process. */
export interface RunOptions {
  readonly configFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly hostName: string;
  readonly random: Random;
  readonly host: ProgramHost;
  /** Receives the log. */
  readonly write: (line: string) => unknown;
}

/** Beyond the time that streams are given. */
const stopMs = 15_000;

/** A server for each 200 nodes of a thousand is more series than kit's default. */
const maxSeries = 2_000;

async function accessOf(config: Config, { environment }: RunOptions): Promise<ClusterAccess> {
  const { kubeconfig } = config.cluster;
  if (kubeconfig !== undefined) return { ...(await loadKubeconfig(kubeconfig)), namespace: managerNamespace };
  try {
    return await inClusterAccess({ environment });
  } catch (cause) {
    const hint = 'outside of a pod, cluster.kubeconfig names a kubeconfig';
    throw new SelvedgeError('there is no way to the API server', { code: 'Invalid', cause, hint });
  }
}

function serverNameOf(config: Config, hostName: string): string {
  const name = config.serverName ?? hostName.toLowerCase();
  if (/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(name)) return name;
  const hint = 'set serverName';
  throw new SelvedgeError(`the host name ${name} cannot name a server`, { code: 'Invalid', hint });
}

/** Runs the manager until it is told to stop; resolves with the exit code. Rejects before it has a log. */
export async function runManager(options: RunOptions): Promise<number> {
  const { configFile, environment, hostName, random, host, write } = options;
  const config = await originating('config', () => loadConfig(configFile, environment));
  const access = await originating('config', () => accessOf(config, options));
  const server = await originating('config', () => serverNameOf(config, hostName));
  const namespace = config.cluster.namespace ?? access.namespace;
  const clock = systemClock;
  const log = createJsonLogger({ level: config.log.level }, { clock, write });
  const metrics = createMetricsRegistry({ maxSeries });
  const kubeMetrics = createKubeMetrics(metrics);
  const { kubeconfig } = config.cluster;
  const credentials =
    kubeconfig === undefined
      ? fileCredentials(access.credentials, { clock })
      : kubeconfigCredentials({ path: kubeconfig }, { clock });
  log.info('starting', { version, server, namespace });
  const client = createKubeClient(
    {
      servers: [access.server],
      ...(access.serverName === undefined ? {} : { serverName: access.serverName }),
      userAgent: `cloud-manager/${version}`,
    },
    { credentials, clock, random, log, metrics: kubeMetrics },
  );
  const deps = { client, clock, random, log, metrics, kubeMetrics, newUid: randomUUID };
  const service = createManager({ config, server, namespace }, deps);
  const drainTimeoutMs = config.tunnel.drainSeconds * 1_000 + stopMs;
  return runProgram(
    { service, drainTimeoutMs, fatal: service.failed, exitCode: exitCodeOf },
    { host, clock, log },
  );
}
