import { z } from 'zod';
import { wholeNumber } from './fields.ts';

/** `idleSeconds` in the file is `idleMs` in the program. */
type InMs<T> = { readonly [K in keyof T as K extends `${infer Name}Seconds` ? `${Name}Ms` : K]: T[K] };

const inMs = <T extends object>(limits: T): InMs<T> =>
  Object.fromEntries(
    Object.entries(limits).map(([key, value]) =>
      key.endsWith('Seconds') ? [key.replace(/Seconds$/, 'Ms'), Number(value) * 1_000] : [key, value],
    ),
  ) as InMs<T>;

/** What is not given is as docs/limits.md says. */
const limit = (min: number, max: number) => wholeNumber(min, max).exactOptional();

const mapping = 'a mapping';
const [kib, mib, gib] = [1_024, 1_024 ** 2, 1_024 ** 3];
const number = limit(1, 1_000_000);
const handshake = limit(1, 300);
/** A day at most; nothing of a cluster is silent for longer. */
const silence = limit(1, 86_400);

/** Whether those that are given do not decrease. */
const isAscending = (...values: readonly (number | undefined)[]): boolean =>
  values
    .filter((value) => value !== undefined)
    .every((value, index, given) => index === 0 || (given[index - 1] ?? 0) <= value);

/** Of the tunnel server: `TunnelServerLimits`. */
export const tunnelLimits = z
  .strictObject(
    {
      maxSessions: number,
      maxSessionsPerPeer: limit(1, 100),
      maxHandshakes: limit(1, 100_000),
      maxStreams: limit(1, 100_000),
      streamWindowBytes: limit(64 * kib, 64 * mib),
      maxStreamWindowBytes: limit(64 * kib, 64 * mib),
      maxSessionBytes: limit(mib, gib),
      maxBytes: limit(mib, 64 * gib),
    },
    mapping,
  )
  .refine(
    (given) =>
      isAscending(given.streamWindowBytes, given.maxStreamWindowBytes, given.maxSessionBytes, given.maxBytes),
    'streamWindowBytes, maxStreamWindowBytes, maxSessionBytes and maxBytes, each at most the next',
  );

/** Of the tunnel server: `SessionTimeouts` but for draining. */
export const tunnelTimeouts = z
  .strictObject(
    {
      handshakeSeconds: handshake,
      openSeconds: handshake,
      quietSeconds: limit(1, 600),
      pingSeconds: handshake,
    },
    mapping,
  )
  .transform(inMs);

/** Of what takes `CONNECT`. */
const connects = {
  streams: number,
  streamsPerClient: number,
  connections: number,
  newcomers: number,
  handshakeSeconds: handshake,
  headersSeconds: handshake,
  idleSeconds: silence,
  endingSeconds: silence,
};

const isInOrder = (
  given: { readonly [K in 'streamsPerClient' | 'streams' | 'connections']?: number },
): boolean => isAscending(given.streamsPerClient, given.streams, given.connections);
const inOrder = 'streamsPerClient, streams and connections, each at most the next';

/** `EgressLimits`. */
export const egressLimits = z.strictObject(connects, mapping).refine(isInOrder, inOrder).transform(inMs);

/** `ConnectProxyLimits`. */
export const connectProxyLimits = z
  .strictObject({ ...connects, reviews: number, reviewsPerAddress: number }, mapping)
  .refine(isInOrder, inOrder)
  .transform(inMs);

/** Of the kubelet proxy: `KubeletProxyLimits`. */
export const kubeletProxyLimits = z
  .strictObject(
    {
      connections: number,
      connectionsPerAddress: number,
      connectionsPerAddressAndNode: number,
      newcomers: number,
      helloSeconds: handshake,
      idleSeconds: silence,
    },
    mapping,
  )
  .refine(
    (given) =>
      isAscending(given.connectionsPerAddressAndNode, given.connectionsPerAddress, given.connections),
    'connectionsPerAddressAndNode, connectionsPerAddress and connections, each at most the next',
  )
  .transform(inMs);
