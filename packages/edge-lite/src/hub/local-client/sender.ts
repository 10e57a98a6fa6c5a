import { Readable } from 'node:stream';
import { aborted, scoped } from '@selvedge/kit';
import type { HttpRequest, HttpResponse, Sender } from '@selvedge/kube';
import { errorResponse } from '../answers/index.ts';
import type { Caller, HubHandler, HubRequest, HubResponse } from '../request.ts';

const bytesOf = (body: string | Uint8Array | undefined): Uint8Array | undefined =>
  typeof body === 'string' ? Buffer.from(body) : body;

function hubRequest(request: HttpRequest, caller: Caller, signal: AbortSignal): HubRequest {
  const { method, path, headers, body } = request;
  const at = path.indexOf('?');
  return {
    method,
    path: at < 0 ? path : path.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : path.slice(at + 1)),
    // Nothing is saved by zipping what stays in the process.
    headers: { ...headers, 'accept-encoding': 'identity' },
    body: bytesOf(body),
    caller,
    signal,
  };
}

/** Errors are answers here as they are over HTTP, so that clients need not know where the API is. */
async function answerOf(handler: HubHandler, request: HubRequest): Promise<HubResponse> {
  try {
    return await handler(request);
  } catch (error) {
    request.signal.throwIfAborted();
    return errorResponse(error);
  }
}

/** Hands requests to a handler of this process, in the name of `caller`. */
export function createHandlerSender(handler: HubHandler, caller: Caller): Sender {
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    const scope = scoped(request.signal);
    try {
      const { status, headers, body } = await answerOf(handler, hubRequest(request, caller, scope.signal));
      const readable =
        body instanceof Uint8Array ? Readable.from([body]) : Readable.from(body, { objectMode: false });
      readable.once('close', () => scope.abort(aborted('reading')));
      scope.signal.addEventListener('abort', () => readable.destroy(), { once: true });
      return { status, headers, body: readable, checkComplete: () => request.signal.throwIfAborted() };
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  };
  return { server: 'the hub of this node', send, close: () => Promise.resolve() };
}
