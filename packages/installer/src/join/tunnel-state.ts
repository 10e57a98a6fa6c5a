import type { LiteStatus, TunnelLink } from './edge-lite-state.ts';

const lackingOf = ({ server, state: { kind, error } }: TunnelLink): string =>
  `a tunnel session with ${server} (${error ?? kind})`;

/**
 * What is missing until the cloud reaches the node through the tunnel, for people: a session with one of its servers, which pass on to
 * each other, and the certificate that cloud-manager approves. Empty: nothing, or it has no tunnel. Pure.
 */
export function lackingInTunnel({ hub: { tunnel, kubeletApi } }: LiteStatus): readonly string[] {
  if (tunnel === undefined) return [];
  const { links } = tunnel;
  const isUp = links.some(({ state }) => state.kind === 'up');
  const sessions = links.length === 0 ? ['a tunnel session'] : links.map(lackingOf);
  return [
    ...(isUp ? [] : sessions),
    ...(kubeletApi?.listens === false
      ? ['the serving certificate of its kubelet API, which cloud-manager approves']
      : []),
  ];
}
