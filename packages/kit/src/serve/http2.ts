import {
  type Http2ServerResponse,
  type Http2Session,
  type ServerHttp2Session,
  constants,
  createServer,
} from 'node:http2';
import type { Http2Limits } from './limits.ts';
import type { Protocol, Sinks } from './protocol.ts';
import type { ResponseStream } from './respond.ts';

/**
 * Ends a connection without requests, and a request whose client does not take what waits for it; a quiet watch is neither.
 */
function endWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let streams = 0;
  session.on('stream', (stream) => {
    streams += 1;
    stream.once('close', () => (streams -= 1));
    stream.setTimeout(idleMs, () => {
      if (stream.writableLength === 0) return;
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy();
    });
  });
  session.setTimeout(idleMs, () => {
    if (streams === 0) session.close();
  });
}

/** Node's type leaves out `flushHeaders`. */
const streamOf = (response: Http2ServerResponse): ResponseStream =>
  response as Http2ServerResponse & ResponseStream;

/** HTTP/2. */
export function createHttp2<L>(limits: Http2Limits, sinks: Pick<Sinks<L>, 'exchange'>): Protocol<L> {
  const links = new WeakMap<Http2Session, L>();
  const sessions = new Set<ServerHttp2Session>();
  let closed = false;
  const server = createServer({
    settings: { maxConcurrentStreams: limits.maxStreams, maxHeaderListSize: limits.maxHeaderBytes },
  });
  server.on('request', (request, response) => {
    const { session } = request.stream;
    const link = session === undefined ? undefined : links.get(session);
    if (link === undefined) request.stream.destroy();
    else sinks.exchange({ request, response: streamOf(response), link });
  });
  server.on('sessionError', () => undefined);
  return {
    take(socket, link) {
      // Who has closed his half reads no answers either.
      socket.allowHalfOpen = false;
      // The session is made, and told, before `emit` returns.
      server.once('session', (session) => {
        links.set(session, link);
        sessions.add(session);
        session.once('close', () => sessions.delete(session));
        if (closed) session.close();
        else endWhenIdle(session, limits.idleMs);
      });
      server.emit('connection', socket);
    },
    async close() {
      closed = true;
      server.close(() => undefined);
      const ends = Array.from(sessions, (session) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        session.once('close', resolve);
        session.close();
        return promise;
      });
      await Promise.all(ends);
    },
  };
}
