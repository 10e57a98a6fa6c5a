import { type Clock, SelvedgeError, withDeadline } from '@selvedge/kit';
import { broken, dial } from '@selvedge/kit/net';
import { defaultTimeouts, resourcePath, resources } from '@selvedge/kube';
import { type RawData, WebSocket } from 'ws';
import { type ExecEnd, parseExecEnd } from './exec-end.ts';
import { container } from './manifest.ts';
import type { ApiAccess } from './options.ts';
import type { Argv } from '../types.ts';

/** A container whose programs are run. */
export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
}

export interface ExecOptions {
  readonly target: ExecTarget;
  readonly argv: Argv;
  /** Told of what the program prints. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
}

/** A program in a container, to whose end this is bound: disposing ends the connection, not the program. */
export interface Exec extends Disposable {
  /** Never rejects. */
  readonly ended: Promise<ExecEnd>;
  /** Resolves when the bytes are on their way. What a program that has ended does not read is lost. */
  write(stdin: Uint8Array): Promise<void>;
}

/** The first byte of each message. Source: k8s.io/apimachinery `remotecommand`, `StreamStdIn` and those after it. */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const maxMessageBytes = 2 ** 20;
const pieceBytes = 32 * 1024;

function pathOf({ target, argv }: ExecOptions): string {
  const at = { namespace: target.namespace, name: target.pod, subresource: 'exec' };
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' });
  for (const word of argv) query.append('command', word);
  return `${resourcePath(resources.pods, at)}?${query.toString()}`;
}

/** `Forbidden` for good; anything else may pass. */
function refused(host: string, status: number): SelvedgeError {
  const code = status === 401 || status === 403 ? 'Forbidden' : 'Unavailable';
  const hint =
    code === 'Forbidden'
      ? 'you need the rights to get and to create pods/exec in that namespace'
      : 'run the same command again';
  return new SelvedgeError(`${host} answered ${status} to exec`, { code, hint, details: { status } });
}

function opened(socket: WebSocket, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('open', () => resolve());
  socket.on('error', (error) => reject(broken(host, error)));
  socket.once('close', () => reject(broken(host)));
  socket.once('unexpected-response', (_request, { statusCode = 0 }) => reject(refused(host, statusCode)));
  return promise;
}

function follow(socket: WebSocket, { onOutput }: ExecOptions): Promise<ExecEnd> {
  const { promise, resolve } = Promise.withResolvers<ExecEnd>();
  socket.on('message', (data: RawData) => {
    if (!Buffer.isBuffer(data) || data.length === 0) return;
    const bytes = data.subarray(1);
    if (data[0] === channels.stdout) onOutput('stdout', bytes);
    else if (data[0] === channels.stderr) onOutput('stderr', bytes);
    // v5 sends an empty one when it closes the channel.
    else if (data[0] === channels.error && bytes.length > 0) resolve(parseExecEnd(bytes.toString()));
  });
  socket.once('close', () => resolve({ kind: 'failed', message: 'the connection was lost' }));
  return promise;
}

async function send(socket: WebSocket, stdin: Uint8Array): Promise<void> {
  for (let at = 0; at < stdin.length && socket.readyState === socket.OPEN; at += pieceBytes) {
    const message = Buffer.concat([Buffer.of(channels.stdin), stdin.subarray(at, at + pieceBytes)]);
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(message, { binary: true }, () => resolve());
    await promise;
  }
}

export interface ExecDeps {
  readonly api: ApiAccess;
  readonly clock: Clock;
}

/**
 * Runs a program in a container, over a connection of its own to the API server. Rejects with `Forbidden`, and with
 * `Unavailable` or `DeadlineExceeded` if the server cannot be reached or does not want to. That the node cannot be reached
 * is told by `ended`. Source: kubernetes.io "Transition from SPDY to WebSockets".
 */
export async function openExec(options: ExecOptions, deps: ExecDeps, signal: AbortSignal): Promise<Exec> {
  const credentials = await deps.api.credentials(signal);
  const url = new URL(deps.api.server);
  const { serverName } = deps.api;
  const way = { url, serverName, timeouts: defaultTimeouts, trust: credentials, protocols: ['http/1.1'] };
  const { socket: bytes } = await dial(way, deps.clock, signal);
  const { bearerToken } = credentials;
  // TLS is in the socket already.
  const socket = new WebSocket(`ws://${url.host}${pathOf(options)}`, protocols, {
    createConnection: () => bytes,
    headers: {
      host: url.host,
      ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
    },
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  const ended = follow(socket, options);
  const wait = { what: `the answer of ${url.host}`, timeoutMs: defaultTimeouts.firstByteMs, signal };
  try {
    const done = opened(socket, url.host);
    await withDeadline(wait, deps.clock, () => done);
  } catch (error) {
    bytes.destroy();
    throw error;
  }
  return {
    ended,
    write: (stdin) => send(socket, stdin),
    [Symbol.dispose]: () => socket.terminate(),
  };
}
