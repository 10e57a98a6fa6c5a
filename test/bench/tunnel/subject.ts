import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Duplex, Readable } from 'node:stream';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import type { Carrier, TunnelCredentials } from '@selvedge/tunnel';
import { createTunnelAgent } from '@selvedge/tunnel/agent';
import { createTunnelServer, type TunnelServer } from '@selvedge/tunnel/server';

/** What the bench tells a process of its own, in a file. */
export interface SubjectSetup {
  readonly credentials: TunnelCredentials;
  /** Of the agents: where to, how many, over what. */
  readonly port: number;
  readonly count: number;
  readonly carrier: Carrier;
}

/** What is asked of the server's process, one JSON document a line; each is answered by one. */
export type Question =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sessions' }
  /** Opens so many idle streams to each peer; answered with the milliseconds of each. */
  | { readonly kind: 'open'; readonly perPeer: number }
  /** Reads so many bytes from one agent; answered with MB/s and the CPU seconds of this process. */
  | { readonly kind: 'read'; readonly bytes: number };

const { signal } = new AbortController();
const common = { clock: systemClock, log: silentLogger };
const idle = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });

/** So many bytes, and then the end. */
function fountain(bytes: number): Duplex {
  const chunk = Buffer.alloc(64 * 1024);
  const pieces = function* (): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= chunk.length) yield chunk;
  };
  return Duplex.from({ readable: Readable.from(pieces(), { objectMode: false }) });
}

async function memory(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

async function openAll(server: TunnelServer, perPeer: number): Promise<number[]> {
  const durations: number[] = [];
  for (const { peer } of server.sessions) {
    for (let each = 0; each < perPeer; each += 1) {
      const begun = performance.now();
      const stream = await server.open({ peer, target: 'idle:1', signal });
      stream.on('error', () => undefined);
      durations.push(performance.now() - begun);
    }
  }
  return durations;
}

async function read(server: TunnelServer, bytes: number): Promise<{ rate: number; cpu: number }> {
  const peer = server.sessions[0]?.peer ?? '';
  const stream = await server.open({ peer, target: `fountain:${Math.round(bytes / 1e6)}`, signal });
  const [begun, before] = [performance.now(), process.cpuUsage()];
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) seen += chunk.length;
  const { user, system } = process.cpuUsage(before);
  return { rate: seen / 1e3 / (performance.now() - begun), cpu: (user + system) / 1e6 };
}

async function answer(server: TunnelServer, question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'memory':
      return memory();
    case 'sessions':
      return server.sessions.length;
    case 'open':
      return openAll(server, question.perPeer);
    case 'read':
      return read(server, question.bytes);
  }
}

/** The server; every connection is another peer. */
async function runServer({ credentials }: SubjectSetup): Promise<void> {
  let peers = 0;
  const server = createTunnelServer(
    { listen: [{ host: '127.0.0.1', port: 0 }], limits: { maxHandshakes: 10_000 } },
    {
      ...common,
      metrics: createMetricsRegistry(),
      credentials: () => credentials,
      identify: () => ({ kind: 'accepted', peer: `node-${(peers += 1)}` }),
    },
  );
  await server.start(signal);
  process.stdout.write(`${server.ports[0]}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(server, JSON.parse(line) as Question))}\n`);
  }
  process.exit(0);
}

async function runAgents({ credentials, port, count, carrier }: SubjectSetup): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    const agent = createTunnelAgent(
      { servers: [{ address: `127.0.0.1:${port}` }], carriers: [carrier] },
      {
        ...common,
        random: Math.random,
        metrics: createMetricsRegistry(),
        credentials: async () => credentials,
        allow: (connect) => ({ kind: 'allowed', connect }),
        dial: async ({ host, port: megabytes }) => (host === 'idle' ? idle() : fountain(megabytes * 1e6)),
      },
    );
    await agent.start(signal);
  }
  process.stdin.resume().once('end', () => process.exit(0));
}

const [role, file = ''] = process.argv.slice(2);
const setup = JSON.parse(await readFile(file, 'utf8')) as SubjectSetup;
await (role === 'server' ? runServer(setup) : runAgents(setup));
