import type { Direction } from '../types.ts';

/** What two ends agree on before the first byte of HTTP/2. */
export interface Protocol {
  readonly direction: Direction;
  readonly version: number;
}

/** The versions that this code speaks, the best first. */
const spoken: readonly number[] = [1];

/** The one path of the WebSocket carrier. */
export const webSocketPath = '/selvedge/tunnel';
/** Its subprotocol: the messages are the bytes of a TLS connection, whose ALPN says the rest. */
export const webSocketProtocol = 'selvedge-tls';

/** The ALPN name of a protocol. Source: RFC 7301. */
export const nameOf = ({ direction, version }: Protocol): string => `selvedge-${direction}/${version}`;

/** The names to offer, or to choose from, the best first. */
export const namesOf = (direction: Direction): readonly string[] =>
  spoken.map((version) => nameOf({ direction, version }));

/** The protocol of an agreed name; undefined for one that this code does not speak. */
export function protocolOf(name: unknown): Protocol | undefined {
  for (const direction of ['reverse', 'forward'] as const) {
    for (const version of spoken) if (name === nameOf({ direction, version })) return { direction, version };
  }
  return undefined;
}
