import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, createMetricsRegistry, hasCode, silentLogger } from '@selvedge/kit';
import {
  type ClusterAccess,
  type CredentialSource,
  type KubeClient,
  createKubeClient,
  createKubeMetrics,
  fileCredentials,
  loadKubeconfig,
  staticCredentials,
} from '@selvedge/kube';
import { execCredentials } from './exec-credentials.ts';
import type { ClusterFlags } from './flags/cluster.ts';
import type { CliHost } from './host.ts';
import type { ApiAccess } from '../host/index.ts';

/** The cluster that a person chose. */
export interface Cluster extends AsyncDisposable {
  readonly client: KubeClient;
  /** `https://host:port`. */
  readonly server: string;
  readonly api: ApiAccess;
  /** PEM of whom the kubeconfig trusts, if it says. */
  readonly certificateAuthority: () => Promise<string | undefined>;
  /** The same API server, as somebody else. Who asks closes it. */
  readonly connect: (credentials: CredentialSource) => KubeClient;
}

/** A client of one API server. Who asks closes it. */
export function connectTo(
  { server, serverName, credentials }: ApiAccess,
  { clock, random, version }: Pick<CliHost, 'clock' | 'random' | 'version'>,
): KubeClient {
  const metrics = createKubeMetrics(createMetricsRegistry());
  const userAgent = `selvedge/${version} (${process.platform}/${process.arch})`;
  return createKubeClient(
    { servers: [server], serverName, userAgent },
    { credentials, clock, random, log: silentLogger, metrics },
  );
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** As kubectl looks for it, but for one: of several files in $KUBECONFIG the first that is there counts, alone. */
async function kubeconfigOf({ kubeconfig }: ClusterFlags, { env, person }: CliHost): Promise<string> {
  if (kubeconfig !== undefined) return kubeconfig;
  const named = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '');
  const files = named.length > 0 ? named : [join(person.home, '.kube/config')];
  for (const file of files) if (await isThere(file)) return file;
  throw new SelvedgeError(`no kubeconfig found; looked for ${files.join(', ')}`, {
    code: 'Invalid',
    hint: 'use --kubeconfig FILE',
  });
}

async function load(file: string, { context }: ClusterFlags): Promise<ClusterAccess> {
  try {
    return await loadKubeconfig(file, { context, exec: 'give' });
  } catch (cause) {
    if (!hasCode(cause, 'NotFound')) throw cause;
    throw new SelvedgeError(cause.message, {
      code: 'Invalid',
      cause: cause.cause,
      hint: 'use --kubeconfig FILE',
    });
  }
}

/** A cluster of which nothing is asked: there may be no kubeconfig where its machines are put back without it. */
export function noCluster(host: CliHost): Cluster {
  const api = { server: 'https://cluster.invalid', credentials: staticCredentials({}) };
  const connect = (credentials: CredentialSource): KubeClient => connectTo({ ...api, credentials }, host);
  const client = connect(api.credentials);
  return {
    client,
    server: api.server,
    api,
    connect,
    certificateAuthority: async () => undefined,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function credentialsOf(
  { credentials, exec: plugin }: ClusterAccess,
  host: CliHost,
): Promise<CredentialSource> {
  const files = fileCredentials(credentials, { clock: host.clock });
  if (plugin === undefined) return files;
  const { certificateAuthority } = await files(new AbortController().signal);
  return execCredentials({ plugin, certificateAuthority, env: host.env }, host);
}

/** A client of the API server in a kubeconfig. Does not ask it yet. Throws `Invalid`, `NotFound` and `Unsupported`. */
export async function openCluster(flags: ClusterFlags, host: CliHost): Promise<Cluster> {
  const file = await kubeconfigOf(flags, host);
  const found = await load(file, flags);
  const { server, serverName } = found;
  const connect = (credentials: CredentialSource): KubeClient =>
    connectTo({ server, serverName, credentials }, host);
  const credentials = await credentialsOf(found, host);
  const client = connect(credentials);
  return {
    client,
    server,
    api: { server, serverName, credentials },
    connect,
    certificateAuthority: async () => (await credentials(new AbortController().signal)).certificateAuthority,
    [Symbol.asyncDispose]: () => client.close(),
  };
}
