import { SelvedgeError } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import type { NodeFacts } from './types.ts';

/** Looks at a machine, in two round trips. Changes nothing. Rejects as `Host.run` does. */
export async function gatherFacts(host: Host, signal: AbortSignal): Promise<NodeFacts> {
  signal.throwIfAborted();
  throw new SelvedgeError(`what is on ${host.name} cannot be looked at yet`, { code: 'Internal' });
}
