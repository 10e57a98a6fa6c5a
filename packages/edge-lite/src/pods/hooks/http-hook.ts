import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';

import { SelvedgeError } from '@selvedge/kit';
import type { HTTPGetAction } from '@selvedge/kube/types';

import type { HookTarget } from '../apply/index.ts';

export interface HookRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks once and takes no notice of the answer but its status; rejects unless that is 2xx or 3xx. */
export type HttpGet = (request: HookRequest, signal: AbortSignal) => Promise<void>;

function portOf(action: HTTPGetAction, { container }: HookTarget): number {
  if (typeof action.port === 'number') return action.port;
  const named =
    container.ports?.find(({ name }) => name === action.port)?.containerPort ?? Number(action.port);
  if (Number.isInteger(named) && named > 0) return named;
  throw new SelvedgeError(`couldn't find port: ${action.port} in container ${container.name}`, {
    code: 'Invalid',
  });
}

/** What an HTTP hook asks for: the pod's address unless it names another host. */
export function hookUrl(action: HTTPGetAction, target: HookTarget): HookRequest {
  const host = action.host === undefined || action.host === '' ? target.podIP : action.host;
  const scheme = action.scheme === 'HTTPS' ? 'https' : 'http';
  const path = (action.path ?? '').replace(/^\/?/, '/');
  const url = new URL(`${scheme}://${isIPv6(host) ? `[${host}]` : host}:${portOf(action, target)}${path}`);
  const headers = Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  return { url, headers };
}

/** As the kubelet, the certificate of the pod is not verified: the hook is a signal to it, and carries no secret back. */
export const httpGet: HttpGet = ({ url, headers }, signal) =>
  new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const options = { headers, signal, agent: false, ...(secure ? { rejectUnauthorized: false } : {}) };
    const request = (secure ? httpsRequest : httpRequest)(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', reject);
      response.resume();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 400) resolve();
      else reject(new SelvedgeError(`HTTP hook answered with status ${statusCode}`, { code: 'Internal' }));
    });
    request.end();
  });
