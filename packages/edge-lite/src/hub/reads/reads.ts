import { statusError } from '../answers/index.ts';
import { parseRequestInfo, type ResourceRequest } from '../request-info/index.ts';
import type { HubHandler, HubResponse } from '../request.ts';
import { handleGet } from './get.ts';
import { handleList } from './list.ts';
import { notAvailable, upstreamElse } from './origin.ts';
import { createReadMetrics } from './metrics.ts';
import type { Read, ReadsDeps, ReadsOptions, ReadsParts } from './types.ts';
import { handleWatch } from './watch.ts';

type Handler = (read: Read, options: ReadsOptions, deps: ReadsParts) => Promise<HubResponse>;

const handlers: Readonly<Record<string, Handler>> = { get: handleGet, list: handleList, watch: handleWatch };

function handlerOf({ verb, subresource }: ResourceRequest): Handler {
  const handler = handlers[verb];
  if (handler !== undefined && (verb === 'get' || subresource === '')) return handler;
  throw statusError('Unsupported', 'the server does not allow this method on the requested resource', {
    status: 405,
    reason: 'MethodNotAllowed',
  });
}

const handleAbove: Handler = (read, options, deps) =>
  upstreamElse(read, { options, deps }, async (autonomy) => {
    throw notAvailable(autonomy, read);
  });

/** In somebody else's name: whether that is allowed, and what it shows, only upstream can tell. */
const impersonates = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => name.startsWith('impersonate-'));

/**
 * Answers GET, LIST and WATCH of resources by the API server's own rules: what may be old from the replica, the rest from
 * upstream while it can be reached; everything from the replica while not. Errors are `SelvedgeError`s for
 * `errorResponse`. Bodies of watches run until the client goes; they are to be returned then.
 */
export function createReads(options: ReadsOptions, deps: ReadsDeps): HubHandler {
  const parts: ReadsParts = { ...deps, metrics: createReadMetrics(deps.metrics) };
  return async (request) => {
    const info = parseRequestInfo(request.method, request.path, request.query);
    if (info.kind !== 'resource') {
      throw statusError('Internal', `${request.method} ${request.path} is no read of a resource`);
    }
    const read = { request, info };
    const above = request.method !== 'GET' || impersonates(request.headers);
    const handle = above ? handleAbove : handlerOf(info);
    return await handle(read, options, parts);
  };
}
