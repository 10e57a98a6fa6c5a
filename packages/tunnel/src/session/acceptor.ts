import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { SelvedgeError, aborted, createTaskGroup, raceAbort, scoped } from '@selvedge/kit';
import { relay } from '@selvedge/kit/net';
import { refusalOf } from '../protocol/answers.ts';
import type { Session } from './session.ts';
import type { TunnelStream } from './stream.ts';

/** What the answering end does with a stream. */
export interface AcceptorDeps {
  /** Connects what was asked for. What it rejects with is the answer. */
  readonly connect: (authority: string, signal: AbortSignal) => Promise<Duplex>;
  /** Told of each stream that is joined with what it was for. */
  readonly onJoined?: ((authority: string, stream: TunnelStream) => void) | undefined;
  /** Told of each stream that was refused. */
  readonly onRefused?: ((authority: string, error: unknown) => void) | undefined;
}

function authorityOf(headers: IncomingHttpHeaders): string {
  const { ':method': method, ':authority': authority } = headers;
  if (method === 'CONNECT' && authority !== undefined) return authority;
  throw new SelvedgeError('only CONNECT is spoken here', { code: 'Invalid' });
}

/** A dial that comes too late for who wanted it is undone. */
async function connected(dial: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  try {
    return await raceAbort(dial, signal);
  } catch (error) {
    dial.then(
      (late) => late.on('error', () => undefined).destroy(),
      () => undefined,
    );
    throw error;
  }
}

/** Answers the streams that the other end of a session opens, as long as the session lasts. */
export function acceptStreams(
  { session, http2 }: { readonly session: Session; readonly http2: ServerHttp2Session },
  deps: AcceptorDeps,
): void {
  const dial = async (stream: ServerHttp2Stream, authority: string, signal: AbortSignal): Promise<Duplex> => {
    using scope = scoped(signal);
    const gone = (): void => scope.abort(aborted(authority));
    stream.once('close', gone);
    try {
      return await connected(deps.connect(authority, scope.signal), scope.signal);
    } finally {
      stream.off('close', gone);
    }
  };
  const serve = async (stream: ServerHttp2Stream, authority: string, signal: AbortSignal): Promise<void> => {
    const other = await dial(stream, authority, signal);
    other.on('error', () => undefined);
    if (stream.destroyed) {
      other.destroy();
      return;
    }
    stream.respond({ ':status': 200 });
    const ours = session.wrap(stream);
    deps.onJoined?.(authority, ours);
    await relay(ours, other);
  };
  const refuse = (stream: ServerHttp2Stream, authority: string, error: unknown): void => {
    deps.onRefused?.(authority, error);
    if (stream.destroyed || stream.headersSent) return;
    stream.respond(refusalOf(error), { endStream: true });
  };
  const tasks = createTaskGroup({ name: 'streams' }, { onFailure: () => undefined });
  http2.on('stream', (stream, headers) => {
    session.count(stream);
    stream.on('error', () => undefined);
    tasks.run('stream', async (signal) => {
      const authority = headers[':authority'] ?? '';
      try {
        await serve(stream, authorityOf(headers), signal);
      } catch (error) {
        refuse(stream, authority, error);
      }
    });
  });
  void session.closed.then(() => tasks.stop());
}
