import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { systemCode } from '@selvedge/kit';
import ssh2, { type AuthContext, type Client, type Connection, type Session } from 'ssh2';

const { Server, utils } = ssh2;

export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** Its own, as a line of `known_hosts` wants it: type and base64. */
  readonly hostKey: string;
  /** Lets `test` in. */
  readonly userKey: Buffer;
  /** The command lines that were asked for. */
  readonly lines: readonly string[];
  /** How many connections were forwarded. */
  readonly forwarded: number;
  /** A connection that is to be forwarded is dialled forever from now on. */
  swallow(): void;
  /** Cuts every connection. */
  cut(): void;
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

function publicOf(pem: string): { readonly type: string; readonly wire: Buffer } {
  const parsed = utils.parseKey(pem);
  if (parsed instanceof Error) throw parsed;
  return { type: parsed.type, wire: parsed.getPublicSSH() };
}

function isAllowed(context: AuthContext, wire: Buffer): boolean {
  if (context.method !== 'publickey' || context.username !== 'test') return false;
  const { data } = context.key;
  if (data.length !== wire.length || !timingSafeEqual(data, wire)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  const parsed = utils.parseKey(data);
  return !(parsed instanceof Error) && parsed.verify(context.blob, context.signature, context.hashAlgo);
}

/** With all that it started. It may have ended a moment ago. */
function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** Of one connection, as OpenSSH's server has it. Source: sshd_config(5), MaxSessions. */
const maxSessions = 10;

/** What OpenSSH's server does: the user's shell gets the line. */
function onSession(session: Session, lines: string[], running: Set<ChildProcess>): void {
  session.on('exec', (accept, _reject, { command }) => {
    lines.push(command);
    const channel = accept();
    const child = spawn('/bin/sh', ['-c', command], { detached: true });
    running.add(child);
    const kill = (): void => {
      if (running.has(child)) end(child);
    };
    session.on('signal', kill);
    channel.on('close', kill);
    channel.pipe(child.stdin).on('error', () => undefined);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.once('close', (code, signal) => {
      running.delete(child);
      if (signal === null) channel.exit(code ?? 0);
      else channel.exit(signal.replace('SIG', ''), false, '');
      channel.end();
    });
  });
}

/** The types know it of clients only. */
const canHurry = (connection: Connection): connection is Connection & Pick<Client, 'setNoDelay'> =>
  'setNoDelay' in connection;

/** An SSH server on a free port of the loopback interface that runs what the one key asks for. */
export async function startSshServer(): Promise<SshServer> {
  const [host, user] = [newKey(), newKey()];
  const [hostKey, userKey] = [publicOf(host), publicOf(user)];
  const lines: string[] = [];
  const [running, connections] = [new Set<ChildProcess>(), new Set<Connection>()];
  let forwarded = 0;
  let swallows = false;
  const server = new Server({ hostKeys: [host] }, (connection) => {
    connections.add(connection);
    if (canHurry(connection)) connection.setNoDelay(true);
    connection.on('error', () => undefined);
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (context) => {
      if (isAllowed(context, userKey.wire)) context.accept();
      else context.reject(['publickey']);
    });
    let sessions = 0;
    connection.on('session', (accept, reject) => {
      if (sessions === maxSessions) return reject();
      sessions += 1;
      const session = accept();
      // OpenSSH counts one that ended until it has dealt with all that has come with its end: the next ones, too.
      session.on('close', () => setImmediate(() => (sessions -= 1)));
      return onSession(session, lines, running);
    });
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      if (swallows) return;
      const socket = connect(destPort, destIP);
      socket.once('error', () => reject());
      socket.once('connect', () => {
        forwarded += 1;
        const channel = accept();
        socket.on('error', () => channel.destroy());
        channel.on('error', () => socket.destroy());
        channel.pipe(socket).pipe(channel);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const connection of connections) connection.end();
  };
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: `${hostKey.type} ${hostKey.wire.toString('base64')}`,
    userKey: Buffer.from(user),
    lines,
    get forwarded() {
      return forwarded;
    },
    swallow() {
      swallows = true;
    },
    cut,
    async [Symbol.asyncDispose]() {
      for (const child of running) end(child);
      cut();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
