import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { connectTcp } from '@selvedge/kit/net';
import type { Target } from '@selvedge/tunnel';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import {
  type Egress,
  type EgressOptions,
  createEgress,
} from '../../packages/cloud-manager/src/egress/egress.ts';
import { createEgressMetrics } from '../../packages/cloud-manager/src/egress/metrics.ts';
import type { Opened, Router } from '../../packages/cloud-manager/src/egress/router.ts';
import {
  connectRequest,
  dialTls,
  dialUnix,
  headOf,
} from '../../packages/cloud-manager/src/egress/testing.ts';
import { createPemFiles } from '../../packages/cloud-manager/src/serving/index.ts';
import { type Authority, type KeyPair, newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { type Target as Served, startTarget } from './tunnel-world.ts';

const { signal } = new AbortController();

/** What is answered to who is given a stream. */
export const accepted = 'HTTP/1.1 200 Connection established\r\n\r\n';

export type Way = 'the Unix socket' | 'TLS';
type Client = 'server' | 'api' | 'peer' | 'node' | 'unix' | 'foreign';

export const dial = async ({ host, port }: Target): Promise<Opened> => {
  const url = new URL(`tcp://${host}:${port}`);
  const stream = await connectTcp({ url, dialMs: 5_000, allowHalfOpen: true }, systemClock, signal);
  return { stream, rule: 'other' };
};
export const refuse = async (): Promise<Opened> => {
  throw new SelvedgeError('10.0.0.1 is held by the nodes α, b\r\nx: y', { code: 'Forbidden' });
};
/** Dials what is asked for; through the session of a node, whatever it is asked for. */
const router: Router = {
  open: dial,
  openHere: (node, target) => (node === 'shop-1' ? dial(target) : refuse()),
  openNode: refuse,
  openDirect: refuse,
};

export const until = (what: string, look: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor({ what }, systemClock, async () => (await look()) || undefined);

export async function ask(
  socket: Socket,
  authorityOf: string,
  ...headers: readonly string[]
): Promise<string> {
  socket.write(connectRequest(authorityOf, ...headers));
  return headOf(socket);
}

/** Takes all that comes, says nothing, and ends when the other end has. */
export const startSink = (): Promise<Served> =>
  startTarget((socket) => void socket.resume().once('end', () => socket.end()));

/** The egress of cloud-manager with a router of tests, for one test after the other. */
export interface EgressWorld {
  /** Who signs all certificates but the foreign one. */
  readonly authority: Authority;
  readonly pairs: Readonly<Record<Client, KeyPair>>;
  readonly unixSocket: string;
  /** Of the egress that was started last, as a scrape sees them. */
  readonly metrics: () => string;
  readonly start: (options?: Partial<EgressOptions>, more?: Partial<Router>) => Promise<Egress>;
  /** Closes it after the test. */
  readonly served: (target: Promise<Served>) => Promise<Served>;
  readonly dialBy: (way: Way, egress: Egress, pair?: KeyPair) => Promise<Socket>;
}

async function issue(authority: Authority): Promise<Record<Client, KeyPair>> {
  const foreign = await openAuthority(await newAuthority('foreign', Date.now()), systemClock);
  const names = { addresses: ['127.0.0.1'], dnsNames: ['servers.test'] };
  return {
    server: await authority.issue({ commonName: 'server', ...names }),
    api: await authority.issue({ commonName: 'api' }),
    peer: await authority.issue({ commonName: 'peer' }),
    node: await authority.issue({ commonName: 'system:node:shop-1', organizations: ['system:nodes'] }),
    unix: await authority.issue({ commonName: 'unix' }),
    foreign: await foreign.issue({ commonName: 'api' }),
  };
}

/** For the tests of a file. Call it once, where its tests are registered. */
export function useEgress(): EgressWorld {
  let authority: Authority;
  let pairs: Record<Client, KeyPair>;
  let folder: string;
  let metrics = createMetricsRegistry();
  const stops: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    authority = await openAuthority(await newAuthority('egress', Date.now()), systemClock);
    pairs = await issue(authority);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-egress-'));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
    await rm(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);
  const unixSocket = (): string => at('egress.sock');
  return {
    get authority() {
      return authority;
    },
    get pairs() {
      return pairs;
    },
    get unixSocket() {
      return unixSocket();
    },
    metrics: () => metrics.render(),
    async start(options, more) {
      metrics = createMetricsRegistry();
      const files = { certificateFile: at('crt'), keyFile: at('key'), clientCaFile: at('ca') };
      await writeFile(files.certificateFile, pairs.server.certificate);
      await writeFile(files.keyFile, pairs.server.key);
      await writeFile(files.clientCaFile, authority.keyPair.certificate);
      const deps = { clock: systemClock, random: Math.random, log: silentLogger, metrics };
      const pem = createPemFiles(files, deps);
      await pem.start(signal);
      stops.push(() => pem.stop());
      const tls = { listen: { host: '127.0.0.1', port: 0 }, ...files, clients: ['api'], servers: ['peer'] };
      const egress = createEgress(
        { unixSocket: unixSocket(), tls, ...options },
        { ...deps, pem, router: { ...router, ...more }, egressMetrics: createEgressMetrics(metrics) },
      );
      stops.push(() => egress.stop());
      await egress.start(signal);
      return egress;
    },
    async served(target) {
      const server = await target;
      stops.push(async () => server[Symbol.asyncDispose]());
      return server;
    },
    async dialBy(way, egress, pair = pairs.api) {
      if (way === 'the Unix socket') return dialUnix(unixSocket());
      return dialTls({ port: egress.port ?? 0, ca: authority.keyPair.certificate, pair });
    },
  };
}
