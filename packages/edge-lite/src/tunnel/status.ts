import { explain } from '@selvedge/kit';
import type { LinkView, TunnelAgent } from '@selvedge/tunnel/agent';

const time = (ms: number): string => new Date(ms).toISOString();

function stateOf({ state }: LinkView): object {
  switch (state.kind) {
    case 'up':
    case 'connecting': {
      const { sinceMs, ...rest } = state;
      return { ...rest, since: time(sinceMs) };
    }
    case 'waiting': {
      const { kind, error, untilMs } = state;
      return { kind, until: time(untilMs), ...(error === undefined ? {} : { error: explain(error) }) };
    }
    case 'idle':
    case 'stopped':
      return state;
  }
}

/** How many targets are shown: those that carried most. */
const maxTargets = 20;

/** What `/selvedge/status` shows of the tunnel; JSON. */
export function tunnelStatus({ links, traffic }: Pick<TunnelAgent, 'links' | 'traffic'>): object {
  const total = ({ receivedBytes, sentBytes }: (typeof traffic)[number]): number => receivedBytes + sentBytes;
  return {
    links: links.map((link) => ({
      server: link.server,
      state: stateOf(link),
      sessions: link.sessions.map(({ id: _id, peer: _peer, sinceMs, ...session }) => ({
        ...session,
        since: time(sinceMs),
      })),
    })),
    targets: traffic.toSorted((a, b) => total(b) - total(a)).slice(0, maxTargets),
  };
}
