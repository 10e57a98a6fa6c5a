import { acceptStreams, type AcceptorDeps } from './acceptor.ts';
import { answeringEnd, openingEnd } from './http2.ts';
import { Opener } from './opener.ts';
import { Session, type SessionDeps, type SessionOptions } from './session.ts';

/** Begins a session at the end that opens its streams. */
export function beginOpening(options: SessionOptions, deps: SessionDeps): Opener {
  const http2 = openingEnd(deps.socket, options.limits);
  const session = new Session(http2, options, deps);
  return new Opener({ session, http2 }, options, deps);
}

/** Begins a session at the end that answers its streams. */
export function beginAnswering(
  options: SessionOptions,
  deps: SessionDeps & { readonly acceptor: AcceptorDeps },
): Session {
  const http2 = answeringEnd(deps.socket, options.limits);
  const session = new Session(http2, options, deps);
  acceptStreams({ session, http2 }, deps.acceptor);
  return session;
}
