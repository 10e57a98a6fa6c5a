import { type Logger, SelvedgeError, isAbort, scoped } from '@selvedge/kit';
import { breakOff, destroyOnAbort, relay } from '@selvedge/kit/net';
import { acceptance, refusalText } from './answers.ts';
import type { Client, ConnectRequest } from './connect-listener.ts';
import type { EgressMetrics } from './metrics.ts';
import type { Opened } from './router.ts';

/** Of streams that are open. See docs/limits.md. */
export interface StreamLimits {
  /** Without a byte in either direction. Default 4 hours, as the kubelet's `streamingConnectionIdleTimeout`. */
  readonly idleMs: number;
  /** The same, once one direction has ended. Default 15 minutes. */
  readonly endingMs: number;
}

export const defaultStreamLimits: StreamLimits = { idleMs: 4 * 3_600_000, endingMs: 15 * 60_000 };

/** A request that is being answered. */
export interface Opening<C = Client> {
  readonly request: ConnectRequest<C>;
  /** Given back with the stream, or if there is none. */
  readonly held: DisposableStack;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

export interface ServeConnectDeps<C> {
  /** What it rejects with, the client is told. */
  readonly open: (opening: Opening<C>) => Promise<Opened>;
  readonly limits: StreamLimits;
  readonly log: Logger;
  readonly metrics: EgressMetrics;
}

/** Joins a client to what was opened for it, until both have ended. */
async function join(
  { socket, head }: Pick<ConnectRequest, 'socket' | 'head'>,
  { stream, rule }: Opened,
  metrics: EgressMetrics,
): Promise<void> {
  const bytes = { to: head.length, from: 0 };
  if (head.length > 0) stream.write(head);
  socket.on('data', (chunk: Buffer) => (bytes.to += chunk.length));
  stream.on('data', (chunk: Buffer) => (bytes.from += chunk.length));
  await relay(socket, stream);
  metrics.bytes.add({ rule, direction: 'to_target' }, bytes.to);
  metrics.bytes.add({ rule, direction: 'from_target' }, bytes.from);
}

const silent = (): SelvedgeError =>
  new SelvedgeError('nothing was said for too long', { code: 'DeadlineExceeded' });

/** Answers one `CONNECT`, and joins the client to what was opened, to the end of both. */
export async function serveConnect<C>(
  request: ConnectRequest<C>,
  { open, limits, log, metrics }: ServeConnectDeps<C>,
  signal: AbortSignal,
): Promise<void> {
  const { socket, authority } = request;
  using scope = scoped(signal);
  using held = new DisposableStack();
  socket.once('close', () => scope.abort());
  let opened: Opened;
  try {
    opened = await open({ request, held, signal: scope.signal });
  } catch (error) {
    if (!isAbort(error)) log.debug('no stream', { authority, error });
    socket.end(refusalText(error), () => socket.destroy());
    return;
  }
  destroyOnAbort(opened.stream, signal, (error) => breakOff(opened.stream, error));
  socket.write(acceptance);
  socket.setTimeout(limits.idleMs, () => breakOff(socket, silent()));
  for (const end of [socket, opened.stream]) end.once('end', () => socket.setTimeout(limits.endingMs));
  await join(request, opened, metrics);
}
