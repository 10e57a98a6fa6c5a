import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { systemCode } from '@selvedge/kit';
import { type WebSocket, WebSocketServer } from 'ws';

/** What the pod of a Job is. */
export type PodState =
  | { readonly kind: 'running' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: string };

interface Knobs {
  /** Of every Job. */
  pod: PodState;
  /** As many execs from now on end before anything began: the kubelet is not reached. */
  away: number;
  /** Answers with this instead of another protocol. */
  refusal: number | undefined;
  /** As many execs from now on are not answered. */
  mute: number;
  /** Answers with this when a Job is to be deleted. */
  deletion: number | undefined;
  /** The node is away: pods stay when their Job is deleted. */
  keepsPods: boolean;
}

/** As much of an API server, a Job controller and a kubelet as a Job that is entered by exec sees of them. */
export interface ExecServer extends Knobs, AsyncDisposable {
  readonly url: string;
  /** Where the containers keep what they know of programs. */
  readonly folder: string;
  /** Jobs that are there, as they were made. */
  readonly jobs: ReadonlyMap<string, object>;
  /** Programs that were asked for. */
  readonly execs: readonly (readonly string[])[];
  /** What it answered instead of another protocol. */
  readonly refused: readonly number[];
  /** As somebody else does; their pods go with them. */
  removeJobs(): void;
  /** Breaks every connection; what runs goes on, as on a node. */
  cut(): void;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3 } as const;

/** Enters nothing: the namespaces are these already. */
const nsenter = `#!/bin/sh
while [ "$1" != /usr/bin/env ]; do shift; done
exec "$@"
`;

function end({ pid }: Pick<ChildProcess, 'pid'>): void {
  try {
    process.kill(-(pid ?? 0), 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** Programs that have not ended, and that nobody waits for any more. */
async function pidsIn(folder: string): Promise<readonly number[]> {
  const files = await Array.fromAsync(glob('*/{pid,code}', { cwd: folder }));
  const running = files.filter((file) => !files.includes(file.replace(/pid$/, 'code')));
  return Promise.all(running.map(async (file) => Number(await readFile(join(folder, file), 'utf8'))));
}

function statusOf(exitCode: number): object {
  if (exitCode === 0) return { kind: 'Status', status: 'Success' };
  const causes = [{ reason: 'ExitCode', message: `${exitCode}` }];
  return { kind: 'Status', status: 'Failure', reason: 'NonZeroExitCode', details: { causes } };
}

function say(socket: WebSocket, channel: number, bytes: Uint8Array): void {
  socket.send(Buffer.concat([Buffer.of(channel), bytes]));
}

function tell(socket: WebSocket, status: object): void {
  say(socket, channels.error, Buffer.from(JSON.stringify(status)));
  socket.close();
}

/** Runs a program as a runtime does in a container: it leads a session, and does not end with its connection. */
function runIn(folder: string, argv: readonly string[], socket: WebSocket): ChildProcess {
  // Each container has a folder of its own there.
  const [program = '', ...args] = argv.map((word) =>
    word.replaceAll('/run/selvedge-shell', `${folder}/state`),
  );
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  const child = spawn(program, args, { detached: true, env, stdio: ['pipe', 'pipe', 'pipe'] });
  say(socket, channels.stdout, Buffer.alloc(0));
  child.stdout.on('data', (bytes: Buffer) => say(socket, channels.stdout, bytes));
  child.stderr.on('data', (bytes: Buffer) => say(socket, channels.stderr, bytes));
  child.stdin.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    if (data[0] === channels.stdin) child.stdin.write(data.subarray(1));
  });
  child.once('close', (code, signal) => {
    tell(socket, statusOf(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
  return child;
}

const containerState = (pod: PodState): object =>
  pod.kind === 'waiting' ? { waiting: { reason: pod.reason, message: pod.message } } : { running: {} };

function podOf(job: string, pod: PodState): object {
  const status =
    pod.kind === 'failed'
      ? { phase: 'Failed', reason: pod.reason }
      : { phase: 'Running', containerStatuses: [{ name: 'shell', state: containerState(pod) }] };
  return { metadata: { name: `${job}-pod`, namespace: 'kube-system' }, spec: { nodeName: 'shop-1' }, status };
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(
  { request, response }: Asked,
  { jobs, pods }: { readonly jobs: Map<string, object>; readonly pods: Set<string> },
  { pod, deletion, keepsPods }: Knobs,
): Promise<void> {
  const { method, url = '' } = request;
  const reply = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (method === 'POST') {
    const job = (await json(request)) as { readonly metadata: { readonly generateName: string } };
    const name = `${job.metadata.generateName}${jobs.size}`;
    jobs.set(name, job);
    pods.add(name);
    return reply(201, { ...job, metadata: { ...job.metadata, name } });
  }
  if (method === 'DELETE') {
    const name = url.split('/').at(-1) ?? '';
    if (deletion !== undefined)
      return reply(deletion, { kind: 'Status', status: 'Failure', message: 'not yours' });
    if (!keepsPods) pods.delete(name);
    return reply(jobs.delete(name) ? 200 : 404, { kind: 'Status', status: 'Success' });
  }
  const items = [...pods].map((job) => podOf(job, pod));
  return reply(200, { kind: 'PodList', metadata: {}, items });
}

export async function startExecServer(): Promise<ExecServer> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-exec-'));
  await writeFile(join(folder, 'nsenter'), nsenter, { mode: 0o755 });
  const execs: (readonly string[])[] = [];
  const [children, sockets] = [new Set<ChildProcess>(), new Set<WebSocket>()];
  const knobs: Knobs = {
    pod: { kind: 'running' },
    away: 0,
    refusal: undefined,
    mute: 0,
    deletion: undefined,
    keepsPods: false,
  };
  const refused: number[] = [];
  const [jobs, pods] = [new Map<string, object>(), new Set<string>()];
  const handleProtocols = (offered: Set<string>): string | false =>
    offered.has('v5.channel.k8s.io') && 'v5.channel.k8s.io';
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols });
  const server = createServer(
    (request, response) => void answer({ request, response }, { jobs, pods }, knobs),
  );
  const exec = (socket: WebSocket, url: URL): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const argv = url.searchParams.getAll('command');
    execs.push(argv);
    if (knobs.away > 0) {
      knobs.away -= 1;
      return tell(socket, {
        kind: 'Status',
        status: 'Failure',
        reason: 'InternalError',
        message: 'dial tcp: refused',
      });
    }
    const child = runIn(folder, argv, socket);
    children.add(child);
    child.once('close', () => children.delete(child));
    return undefined;
  };
  server.on('upgrade', (request, socket, head) => {
    if (knobs.mute > 0) {
      knobs.mute -= 1;
      socket.once('end', () => socket.destroy()).resume();
      return;
    }
    if (knobs.refusal !== undefined) {
      refused.push(knobs.refusal);
      socket.end(`HTTP/1.1 ${knobs.refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      exec(webSocket, new URL(request.url ?? '', 'http://node')),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.terminate();
    sockets.clear();
  };
  return Object.assign(knobs, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folder: join(folder, 'state'),
    jobs,
    execs,
    refused,
    cut,
    removeJobs() {
      jobs.clear();
      pods.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) end(child);
      for (const pid of await pidsIn(join(folder, 'state'))) end({ pid });
      cut();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await rm(folder, { recursive: true });
    },
  });
}
