import {
  connect,
  performServerHandshake,
  type ClientHttp2Session,
  type ServerHttp2Session,
  type SessionOptions,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { SessionLimits } from '../types.ts';

/** Of the headers of one stream; a target and a reason fit several times. */
const maxHeaderBytes = 4 * 1024;

/** Node gives a session up at 10 MB, what streams hold included; here the ledger counts. */
const maxSessionMegabytes = 1_000;

/**
 * What may be on its way to this end, in all streams. Node acknowledges it as it comes, read by anybody or not, so that it
 * bounds what is unsent at the other end and nothing else.
 */
const connectionWindowBytes = 32 * 1024 * 1024;

function optionsOf(limits: SessionLimits, maxConcurrentStreams: number): SessionOptions {
  return {
    maxSessionMemory: maxSessionMegabytes,
    maxHeaderListPairs: 32,
    peerMaxConcurrentStreams: limits.maxStreams,
    settings: {
      enablePush: false,
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: maxHeaderBytes,
      maxConcurrentStreams,
    },
  };
}

/**
 * The end that opens streams: HTTP/2's client. The name agreed by ALPN is ours, so nothing of TLS is looked at. Node joins
 * HTTP/2 and TLS below JavaScript, which costs a third of what bytes cost that pass through a stream of ours.
 */
export function openingEnd(socket: TLSSocket, limits: SessionLimits): ClientHttp2Session {
  // The origin is never sent: CONNECT has an authority of its own.
  const session = connect('http://tunnel', {
    ...optionsOf(limits, 0),
    createConnection: () => socket,
  });
  session.setLocalWindowSize(connectionWindowBytes);
  return session;
}

/** The end that answers: HTTP/2's server, on a connection that it may have dialled itself. */
export function answeringEnd(socket: TLSSocket, limits: SessionLimits): ServerHttp2Session {
  const session = performServerHandshake(socket, optionsOf(limits, limits.maxStreams));
  session.setLocalWindowSize(connectionWindowBytes);
  return session;
}
