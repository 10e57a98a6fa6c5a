import { type CallingDeps, type KubeClient, createClientOver } from '@selvedge/kube';
import type { Caller, HubHandler } from '../request.ts';
import { createHandlerSender } from './sender.ts';

export interface LocalClientOptions {
  /** `program/version (os/arch)`. */
  readonly userAgent: string;
  /** In whose name it calls: the node's, for modules of this process. */
  readonly caller: Caller;
}

export interface LocalClientDeps extends CallingDeps {
  readonly handler: HubHandler;
}

/**
 * A client of the hub in its own process: the same requests, answers and errors as over HTTPS, without a connection. An
 * answer with `Retry-After` is an error at once: what the hub does not have now, nobody here has in a second.
 */
export function createLocalClient(
  { userAgent, caller }: LocalClientOptions,
  deps: LocalClientDeps,
): KubeClient {
  const sender = createHandlerSender(deps.handler, caller);
  return createClientOver({ userAgent, maxRetries: 0 }, { ...deps, sender });
}
