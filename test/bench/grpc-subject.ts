import { readFile } from 'node:fs/promises';
import { RuntimeServiceDefinition, createClient } from '@selvedge/containerd-grpc-types';
import type { GrpcTransport } from '@selvedge/containerd-grpc-types';
import { systemClock } from '@selvedge/kit';

/** What a process under measurement says of itself. */
export interface SubjectReport {
  /** MB, after a few calls and a pause. */
  readonly idleResident: number;
  readonly idleAnonymous: number;
  /** MB, right after the calls below. */
  readonly busyAnonymous: number;
  /** CPU milliseconds, user and system, of 1,000 calls. */
  readonly cpuMs: number;
  /** Milliseconds of each call, one after the other. */
  readonly version: readonly number[];
  readonly list: readonly number[];
}

const options = { signal: new AbortController().signal };

async function memory(): Promise<{ resident: number; anonymous: number }> {
  const status = await readFile('/proc/self/status', 'utf8');
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { resident: megabytes('VmRSS'), anonymous: megabytes('RssAnon') };
}

async function timed(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const durations: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    await call();
    durations.push(performance.now() - start);
  }
  return durations;
}

/** Runs in a process of its own: uses the transport, then prints a `SubjectReport`. */
export async function runSubject(transport: GrpcTransport): Promise<void> {
  const runtime = createClient(RuntimeServiceDefinition, transport);
  const version = (): Promise<unknown> => runtime.version({ version: '' }, options);
  const list = (): Promise<unknown> => runtime.listContainers({}, options);
  await timed(20, version);
  await timed(20, list);
  await systemClock.sleep(1_500);
  const idle = await memory();
  await timed(300, version);
  await timed(300, list);
  const before = process.cpuUsage();
  const durations = { version: await timed(500, version), list: await timed(500, list) };
  const { user, system } = process.cpuUsage(before);
  const report: SubjectReport = {
    idleResident: idle.resident,
    idleAnonymous: idle.anonymous,
    busyAnonymous: (await memory()).anonymous,
    cpuMs: (user + system) / 1_000,
    ...durations,
  };
  await transport.close();
  process.stdout.write(JSON.stringify(report));
}
