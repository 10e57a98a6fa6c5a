import type { Socket } from 'node:net';
import { type Clock, type MetricsRegistry, type Random, SelvedgeError, systemCode } from '@selvedge/kit';
import { type Meter, connectTcp, createMeter } from '@selvedge/kit/net';
import { formatTarget } from '@selvedge/tunnel';
import type { ServiceDial } from '@selvedge/tunnel/server';
import type { Address, TunnelConfig } from '../config/index.ts';
import { type Places, createPlaces } from '@selvedge/kit/serve';

export interface ServicesOptions {
  /** By their names. */
  readonly services: TunnelConfig['services'];
  readonly limits?: Partial<ServicesLimits>;
}

/** See docs/limits.md. */
export interface ServicesLimits {
  /** Of all nodes. Default 10,000. */
  readonly streams: number;
  /** Default 256. */
  readonly streamsPerNode: number;
}

export interface ServicesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: MetricsRegistry;
}

/** What the tunnel server asks for the stream of a node: undefined where there is no such service for it. */
export type FindService = (name: string, node: string) => ServiceDial | undefined;

interface Service {
  readonly addresses: readonly Address[];
  /** Undefined: all. */
  readonly nodes: ReadonlySet<string> | undefined;
  readonly meter: Meter;
  streams: number;
}

const defaultLimits: ServicesLimits = { streams: 10_000, streamsPerNode: 256 };

/** Two addresses have their turn before the agent gives up. */
const dialMs = 5_000;

/** All of them, beginning with any. */
function rotated(addresses: readonly Address[], random: Random): readonly Address[] {
  const first = Math.floor(random() * addresses.length);
  return [...addresses.slice(first), ...addresses.slice(0, first)];
}

async function connectAny(
  { addresses, meter }: Service,
  { clock, random }: ServicesDeps,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const address of rotated(addresses, random)) {
    const url = new URL(`tcp://${formatTarget(address)}`);
    try {
      return await connectTcp({ url, dialMs, meter, allowHalfOpen: true }, clock, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  // Nodes read it: what the cloud's network is like is not for them.
  const message = `it cannot be connected: ${systemCode(failure) ?? 'no answer'}`;
  throw new SelvedgeError(message, { code: 'Unavailable', cause: failure });
}

function watch(services: ReadonlyMap<string, Service>, metrics: MetricsRegistry): void {
  const all = Array.from(services);
  metrics.sampledSeries(
    { name: 'selvedge_tunnel_service_streams', help: 'Streams of nodes to services of the cloud, now.' },
    () => all.map(([service, { streams }]) => ({ labels: { service }, value: streams })),
  );
  metrics.sampledSeries(
    {
      name: 'selvedge_tunnel_service_bytes_total',
      help: 'Bytes of streams of nodes to services of the cloud, by direction.',
      type: 'counter',
    },
    () =>
      all.flatMap(([service, { meter }]) => [
        { labels: { service, direction: 'to_service' }, value: meter.sentBytes },
        { labels: { service, direction: 'from_service' }, value: meter.receivedBytes },
      ]),
  );
}

/**
 * What nodes may reach in the cloud over the tunnel: the services of the config, as bytes; who the node is to them is their
 * own affair. An address is any of the service's, the next one if it cannot be connected.
 */
export function createServices({ services, limits }: ServicesOptions, deps: ServicesDeps): FindService {
  const { streams: total, streamsPerNode: perClient } = { ...defaultLimits, ...limits };
  const places: Places = createPlaces({ what: 'streams to services', total, perClient });
  const known = new Map<string, Service>(
    Object.entries(services).map(([name, { addresses, nodes }]) => [
      name,
      { addresses, nodes: nodes && new Set(nodes), meter: createMeter(), streams: 0 },
    ]),
  );
  watch(known, deps.metrics);
  return (name, node) => {
    const service = known.get(name);
    if (service === undefined || service.nodes?.has(node) === false) return undefined;
    return async (signal) => {
      using taken = new DisposableStack();
      taken.use(places.take(`node ${node}`));
      service.streams += 1;
      taken.defer(() => (service.streams -= 1));
      const socket = await connectAny(service, deps, signal);
      const held = taken.move();
      socket.once('close', () => held.dispose());
      return socket;
    };
  };
}
