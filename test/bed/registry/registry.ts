import { mkdir } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Clock } from '@selvedge/kit';
import type { KeyPairFiles } from '../pki/pki.ts';
import type { DaemonSpec, Daemons } from '../process/daemon.ts';
import { readIfThere, writeAtomically } from '../state/files.ts';
import { waitFor } from '../wait.ts';
import { renderRegistryConfig } from './config.ts';
import { type Credentials, htpasswdLine } from './credentials.ts';

export interface RegistryOptions {
  /** The program. */
  readonly binary: string;
  /** Images, configuration and passwords. */
  readonly folder: string;
  /** Must be in the certificate. */
  readonly address: string;
  /** Default 5000. */
  readonly port?: number;
  readonly tls: KeyPairFiles;
  /** The CA, PEM. */
  readonly ca: string;
  /** Everybody else is refused. */
  readonly credentials: Credentials;
  readonly daemon: Pick<DaemonSpec, 'name' | 'namespace' | 'mark'>;
}

export interface RegistryDeps {
  readonly clock: Clock;
  readonly daemons: Daemons;
}

/** `10.60.0.1:5000`: what references begin with. */
export function registryHost({ address, port = 5000 }: Pick<RegistryOptions, 'address' | 'port'>): string {
  return `${address}:${port}`;
}

/** The status that the registry's root answers an anonymous client with. */
function anonymousStatus(options: RegistryOptions, signal: AbortSignal): Promise<number | undefined> {
  const { address, port = 5000, ca } = options;
  return new Promise((resolve, reject) => {
    const call = request({ host: address, port, path: '/v2/', ca, agent: false, signal }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on('error', reject);
    call.end();
  });
}

/** The hash is salted: a new line for the same password would look like a new configuration. */
async function ensurePasswordFile(
  file: string,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<string> {
  const present = await readIfThere(file);
  if (present?.startsWith(`${credentials.user}:`) === true) return present;
  const line = await htpasswdLine(credentials, signal);
  await writeAtomically(file, line, 0o600);
  return line;
}

/** Makes Debian's docker-registry run and waits until it asks for credentials. Idempotent. */
export async function ensureRegistry(
  options: RegistryOptions,
  deps: RegistryDeps,
  signal?: AbortSignal,
): Promise<void> {
  const { folder, tls, daemon } = options;
  const dataFolder = join(folder, 'data');
  await mkdir(dataFolder, { recursive: true });
  const passwordFile = join(folder, 'htpasswd');
  const passwords = await ensurePasswordFile(passwordFile, options.credentials, signal);
  const config = renderRegistryConfig({ ...tls, listen: registryHost(options), dataFolder, passwordFile });
  const configFile = join(folder, 'config.yml');
  await writeAtomically(configFile, config);
  await deps.daemons.ensure({
    ...daemon,
    argv: [options.binary, 'serve', configFile],
    config: `${config}${passwords}`,
  });
  const hint = `see ${deps.daemons.logFile(daemon.name)}`;
  await waitFor({ what: 'a ready registry', hint, signal }, deps.clock, async (attempt) => {
    return (await anonymousStatus(options, attempt)) === 401;
  });
}
