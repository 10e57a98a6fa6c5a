import { SelvedgeError } from '@selvedge/kit';
import type { TunnelAgent, TunnelAgentDeps, TunnelAgentOptions } from './types.ts';

/** The agent's end of the tunnel. Does no I/O before it is started. */
export function createTunnelAgent(_options: TunnelAgentOptions, _deps: TunnelAgentDeps): TunnelAgent {
  throw new SelvedgeError('the tunnel agent is not written yet', { code: 'Unsupported' });
}
