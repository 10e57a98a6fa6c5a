import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError, messageOf, raceAbort, withDeadline } from '@selvedge/kit';
import { type AnyAuthMethod, Client, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { type HostKeyVerdict, judgeHostKey, knownKeyTypes } from './host-keys.ts';
import { type SshOptions, sshDefaults } from './options.ts';

/** By the type of a key, the algorithms that prove it. Source: RFC 8332. */
const algorithms: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

interface Within {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

function addressOf({ host, port = sshDefaults.port }: SshOptions): { host: string; port: number } {
  return { host, port };
}

/** `user@host:port`, the port if it is not the usual one. */
export function sshName({ user, host, port = sshDefaults.port }: SshOptions): string {
  return port === sshDefaults.port ? `${user}@${host}` : `${user}@${host}:${port}`;
}

function refusal(options: SshOptions, verdict: Exclude<HostKeyVerdict, { kind: 'known' }>): SelvedgeError {
  const name = sshName(options);
  const keyscan = `ssh-keyscan -p ${options.port ?? sshDefaults.port} ${options.host}`;
  switch (verdict.kind) {
    case 'unknown':
      return new SelvedgeError(`the host key of ${name} is not known`, {
        code: 'Unauthenticated',
        hint: `compare the output of \`${keyscan}\` with /etc/ssh/*.pub on the machine, then add it to known_hosts`,
      });
    case 'changed':
      return new SelvedgeError(
        `the host key of ${name} differs from line ${verdict.line} of the known hosts`,
        {
          code: 'Unauthenticated',
          hint: 'this may be a man-in-the-middle attack; if the machine was reinstalled, replace that line',
        },
      );
    case 'revoked':
      return new SelvedgeError(
        `the host key of ${name} is revoked by line ${verdict.line} of the known hosts`,
        {
          code: 'Unauthenticated',
          hint: 'the machine needs a new host key',
        },
      );
  }
}

/** What is shown to the server, one after another. */
function methodsOf({ user: username, agent, keys = [] }: SshOptions): readonly AnyAuthMethod[] {
  return [
    ...(agent === undefined ? [] : [{ type: 'agent', username, agent } as const]),
    ...keys.map(({ text: key, passphrase }) => ({
      type: 'publickey' as const,
      username,
      key,
      ...(passphrase === undefined ? {} : { passphrase }),
    })),
  ];
}

function configOf(options: SshOptions, onVerdict: (verdict: HostKeyVerdict) => void): ConnectConfig {
  const { host, port } = addressOf(options);
  const types = knownKeyTypes(options.knownHosts, { host, port });
  const wanted = types.flatMap((type) => algorithms[type] ?? []);
  return {
    host,
    port,
    username: options.user,
    readyTimeout: options.dialTimeoutMs ?? sshDefaults.dialTimeoutMs,
    keepaliveInterval: sshDefaults.keepAliveMs,
    keepaliveCountMax: sshDefaults.keepAliveCount,
    algorithms: { serverHostKey: { prepend: wanted, append: [], remove: [] } },
    hostVerifier(key: Buffer) {
      const verdict = judgeHostKey(options.knownHosts, { host, port }, key);
      onVerdict(verdict);
      return verdict.kind === 'known';
    },
    authHandler: [...methodsOf(options)],
  };
}

function failure(options: SshOptions, cause: Error & { level?: string }): SelvedgeError {
  const name = sshName(options);
  if (cause.level === 'client-authentication') {
    return new SelvedgeError(`${name} accepts none of the keys`, {
      code: 'Unauthenticated',
      cause,
      hint: 'choose a key with --ssh-key, or load it into the ssh-agent; check --ssh-user',
    });
  }
  return new SelvedgeError(`${name} cannot be reached by SSH: ${messageOf(cause)}`, {
    code: 'Unavailable',
    cause,
  });
}

function forwarded(bastion: Client, options: SshOptions): Promise<Duplex> {
  const { host, port } = addressOf(options);
  return new Promise((resolve, reject) => {
    bastion.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    );
  });
}

/** The bastion dials as long as its system does, which may be minutes. */
async function throughBastion(
  bastion: Client,
  options: SshOptions,
  { clock, signal }: Within,
): Promise<Duplex> {
  const { dialTimeoutMs: timeoutMs = sshDefaults.dialTimeoutMs } = options;
  const what = `the connection from the bastion to ${sshName(options)}`;
  try {
    return await withDeadline({ what, timeoutMs, signal }, clock, (within) =>
      raceAbort(forwarded(bastion, options), within),
    );
  } catch (cause) {
    signal?.throwIfAborted();
    const message = `${sshName(options)} cannot be reached from the bastion`;
    throw new SelvedgeError(message, { code: 'Unavailable', cause });
  }
}

function dial(config: ConnectConfig, failed: (error: Error) => Error, signal?: AbortSignal): Promise<Client> {
  const { promise, resolve, reject } = Promise.withResolvers<Client>();
  const client = new Client();
  const onAbort = (): void => {
    client.destroy();
    reject(signal?.reason);
  };
  // After it is ready, an error is seen at the close that follows.
  client.on('error', (error) => reject(failed(error)));
  client.once('close', () => reject(failed(new Error('the connection was closed'))));
  client.once('connect', () => client.setNoDelay(true));
  client.once('ready', () => resolve(client));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  else client.connect(config);
  return promise.finally(() => signal?.removeEventListener('abort', onAbort));
}

/**
 * A connection to an SSH server whose key is known, through its bastions. Ends with them. Throws `Unauthenticated` (the
 * server's key or ours) and `Unavailable`.
 */
export async function connectSsh(options: SshOptions, within: Within): Promise<Client> {
  const { signal } = within;
  const bastion = options.bastion === undefined ? undefined : await connectSsh(options.bastion, within);
  let verdict: HostKeyVerdict = { kind: 'known' };
  const failed = (error: Error): Error =>
    verdict.kind === 'known' ? failure(options, error) : refusal(options, verdict);
  try {
    const sock = bastion === undefined ? undefined : await throughBastion(bastion, options, within);
    const config = configOf(options, (judged) => (verdict = judged));
    const client = await dial(sock === undefined ? config : { ...config, sock }, failed, signal);
    client.once('close', () => bastion?.end());
    return client;
  } catch (error) {
    bastion?.end();
    throw error;
  }
}
