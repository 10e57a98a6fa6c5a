import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { systemClock } from '@selvedge/kit';
import type { Carrier } from '@selvedge/tunnel';
import { waitFor } from '@selvedge/bed';
import { newAuthority, openAuthority } from '../../bed/pki/certificate.ts';
import { startResetProxy } from '../../contract/reset-proxy.ts';
import { quantile, row, type BenchRow } from '../row.ts';
import { besideKonnectivity } from './beside/beside.ts';
import type { Question, SubjectSetup } from './subject.ts';

const agents = 1_000;
const streamsPerAgent = 10;
const bytes = 400e6;
const rounds = 3;
const roundTripMs = 100;

/** Those of cloud-manager. */
const flags = ['--max-semi-space-size=1', '--initial-old-space-size=32', '--heap-growing-percent=25'];
const environment = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' };

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A server in a process of its own, and others that dial it. */
class Subjects implements AsyncDisposable {
  readonly port: number;
  readonly #server: Child;
  readonly #lines: AsyncIterator<string>;
  readonly #setup: Omit<SubjectSetup, 'port' | 'count' | 'carrier'>;
  readonly #folder: string;
  readonly #agents: Child[] = [];

  private constructor(
    server: { readonly child: Child; readonly lines: AsyncIterator<string>; readonly port: number },
    setup: Omit<SubjectSetup, 'port' | 'count' | 'carrier'>,
    folder: string,
  ) {
    this.#server = server.child;
    this.#lines = server.lines;
    this.port = server.port;
    this.#setup = setup;
    this.#folder = folder;
  }

  static async start(): Promise<Subjects> {
    const folder = await mkdtemp(join(tmpdir(), 'selvedge-bench-tunnel-'));
    const keyPair = await newAuthority('bench', Date.now());
    const authority = await openAuthority(keyPair, Date);
    const { certificate, key } = await authority.issue({ commonName: 'bench', addresses: ['127.0.0.1'] });
    const credentials = { certificate, privateKey: key, certificateAuthority: keyPair.certificate };
    const child = await run('server', { credentials, port: 0, count: 0, carrier: 'tls' }, folder);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    return new Subjects({ child, lines, port: Number(value) }, { credentials }, folder);
  }

  async ask<T>(question: Question): Promise<T> {
    this.#server.stdin.write(`${JSON.stringify(question)}\n`);
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as T;
  }

  /** Starts agents, and waits until the server has a session of each. */
  async dial(count: number, carrier: Carrier, port: number = this.port): Promise<void> {
    const before = await this.ask<number>({ kind: 'sessions' });
    this.#agents.push(await run('agents', { ...this.#setup, port, count, carrier }, this.#folder));
    const what = `${count} sessions`;
    await waitFor({ what, timeoutMs: 120_000 }, systemClock, async () => {
      return (await this.ask<number>({ kind: 'sessions' })) === before + count;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#agents, this.#server]) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function run(role: string, setup: SubjectSetup, folder: string): Promise<Child> {
  const file = join(folder, `${role}-${setup.port}-${setup.count}-${setup.carrier}.json`);
  await writeFile(file, JSON.stringify(setup), { mode: 0o600 });
  const argv = [...flags, join(import.meta.dirname, 'subject.ts'), role, file];
  const env = { ...process.env, ...environment };
  return spawn(process.execPath, argv, { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

interface Rate {
  readonly rate: number;
  readonly cpu: number;
}

async function rates(carrier: Carrier, delayMs: number): Promise<readonly Rate[]> {
  await using subjects = await Subjects.start();
  await using proxy = await startResetProxy(subjects.port);
  proxy.delay(delayMs / 2);
  await subjects.dial(1, carrier, delayMs === 0 ? subjects.port : proxy.port);
  const samples: Rate[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await subjects.ask({ kind: 'read', bytes }));
  return samples;
}

async function crowd(): Promise<{ readonly megabytes: number; readonly openMs: readonly number[] }> {
  await using subjects = await Subjects.start();
  const before = await subjects.ask<number>({ kind: 'memory' });
  for (let dialled = 0; dialled < agents; dialled += 250) await subjects.dial(250, 'tls');
  const openMs = await subjects.ask<number[]>({ kind: 'open', perPeer: streamsPerAgent });
  await systemClock.sleep(5_000);
  return { megabytes: (await subjects.ask<number>({ kind: 'memory' })) - before, openMs };
}

/** The tunnel alone, on one machine: how fast one stream is, and what many agents cost the server. */
async function alone(): Promise<readonly BenchRow[]> {
  const tls = await rates('tls', 0);
  const webSocket = await rates('websocket', 0);
  const far = await rates('tls', roundTripMs);
  const { megabytes, openMs } = await crowd();
  const only = (samples: readonly Rate[], of: keyof Rate): number[] => samples.map((sample) => sample[of]);
  const cpu = (samples: readonly Rate[]): number[] => only(samples, 'cpu').map((s) => s / (bytes / 1e9));
  return [
    row({ id: 'tunnel.throughput.tls', unit: 'MB/s', ours: only(tls, 'rate') }),
    row({ id: 'tunnel.throughput.websocket', unit: 'MB/s', ours: only(webSocket, 'rate') }),
    row({ id: 'tunnel.throughput.tls.100ms', unit: 'MB/s', ours: only(far, 'rate') }),
    row({ id: 'tunnel.cpu.1gb.tls', unit: 's', ours: cpu(tls) }),
    row({ id: 'tunnel.cpu.1gb.websocket', unit: 's', ours: cpu(webSocket) }),
    row({ id: 'tunnel.open.p50', unit: 'ms', ours: [quantile(openMs, 0.5)] }),
    row({ id: 'tunnel.open.p99', unit: 'ms', ours: [quantile(openMs, 0.99)] }),
    row({
      id: 'tunnel.memory.1000agents',
      unit: 'MB',
      ours: [megabytes],
      goal: { kind: 'at-most', value: 100 },
    }),
  ];
}

/** The tunnel's packages alone, then cloud-manager and an agent beside konnectivity. */
export async function tunnelBench(): Promise<readonly BenchRow[]> {
  return [...(await besideKonnectivity()), ...(await alone())];
}
