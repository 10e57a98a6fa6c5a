import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@selvedge/bed';
import { run } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { freePort } from '../../../bed/free-port.ts';
import { type Entrance, request, patienceMs } from './client.ts';

/** Server and agent of one tunnel, in processes of their own, with a line between them that can be made long. */
export interface Tunnel extends AsyncDisposable {
  readonly entrance: Entrance;
  /** Where the server takes agents. */
  readonly agentPort: number;
  readonly pids: { readonly server: number; readonly agent: number };
}

export interface TunnelMaker {
  readonly name: string;
  /** With so much latency in each direction between agent and server. Resolves once a request goes through. */
  start(latencyMs: number): Promise<Tunnel>;
}

/** Ends what it started, the last first. */
export class Processes implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];

  start(argv: readonly string[], output: 'pipe' | 'ignore' = 'ignore'): ChildProcess {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: ['ignore', output, 'ignore'] });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if ((child.exitCode ?? child.signalCode) !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
  }
}

const proxyProgram = join(import.meta.dirname, '../../../bed/network/proxy/main.ts');

/**
 * A line to a port of this machine, in a process of its own: the testbed's. Resolves with the port of its other end; without
 * latency that is the port itself.
 */
export async function layLine(
  { port, latencyMs, folder }: { readonly port: number; readonly latencyMs: number; readonly folder: string },
  processes: Processes,
): Promise<number> {
  if (latencyMs === 0) return port;
  const listen = await freePort();
  const file = join(folder, `line-${listen}.json`);
  const faults = { latencyMs, jitterMs: 0, resetEveryMs: 0 };
  await writeFile(file, JSON.stringify({ target: '127.0.0.1', ports: [{ listen, target: port }], faults }));
  processes.start([process.execPath, proxyProgram, file]);
  return listen;
}

export async function untilThrough(entrance: Entrance, what: string): Promise<void> {
  await waitFor({ what, timeoutMs: 60_000 }, systemClock, async () => (await request(entrance)) < patienceMs);
}

/** Bytes of the agents' connections at the server so far, both directions, with headers of IPv4 and TCP. */
export async function bytesOnTheLine(agentPort: number): Promise<number> {
  const { stdout } = await run({
    argv: ['ss', '-tinOH', 'state', 'established', `sport = :${agentPort}`],
  });
  const sum = (field: string): number =>
    [...stdout.matchAll(new RegExp(`\\b${field}:(\\d+)`, 'g'))].reduce(
      (total, [, n]) => total + Number(n),
      0,
    );
  const headerBytes = 20 + 32;
  return sum('bytes_sent') + sum('bytes_received') + headerBytes * (sum('segs_out') + sum('segs_in'));
}
