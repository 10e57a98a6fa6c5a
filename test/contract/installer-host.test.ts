import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Host,
  type SshOptions,
  connectSshHost,
  createLocalHost,
  createSudoHost,
} from '@selvedge/installer';
import { systemClock as clock } from '@selvedge/kit';
import { describe, expect, it, vi } from 'vitest';
import { hostContract } from './installer-host.ts';
import { type SshServer, startSshServer } from './ssh-server.ts';

vi.setConfig({ testTimeout: 60_000 });

function to(server: SshServer, more: Partial<SshOptions> = {}): SshOptions {
  const knownHosts = `[127.0.0.1]:${server.port} ${server.hostKey}\n`;
  const keys = [{ text: server.userKey }];
  return { host: '127.0.0.1', port: server.port, user: 'test', keys, knownHosts, ...more };
}

async function openSsh(): Promise<Awaited<ReturnType<typeof connectSshHost>>> {
  const server = await startSshServer();
  const host = await connectSshHost(to(server), { clock });
  return {
    ...host,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

hostContract('this machine', async () => createLocalHost({ clock }));
hostContract('a machine behind SSH', openSsh);

describe('a machine behind SSH', () => {
  it('has room for the next program once its server has dealt with the end of one', async () => {
    await using host = await openSsh();
    const numbers = Array.from({ length: 60 }, (_, at) => `${at}`);
    const said = await Promise.all(numbers.map((one) => host.run({ argv: ['echo', one] })));
    expect(said.map(({ stdout }) => stdout.toString().trim())).toEqual(numbers);
  });

  it('is refused if its key is not known', async () => {
    await using server = await startSshServer();
    const unknown = connectSshHost(to(server, { knownHosts: '' }), { clock });
    await expect(unknown).rejects.toMatchObject({ code: 'Unauthenticated', message: /is not known/ });
    expect(server.lines).toEqual([]);
  });

  it('is refused if its key is another one', async () => {
    await using server = await startSshServer();
    await using other = await startSshServer();
    const knownHosts = `# ours\n[127.0.0.1]:${server.port} ${other.hostKey}`;
    const changed = connectSshHost(to(server, { knownHosts }), { clock });
    await expect(changed).rejects.toMatchObject({ code: 'Unauthenticated', message: /line 2/ });
  });

  it('says so when it takes none of the keys', async () => {
    await using server = await startSshServer();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const text = Buffer.from(privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const refused = connectSshHost(to(server, { keys: [{ text }] }), { clock });
    await expect(refused).rejects.toMatchObject({ code: 'Unauthenticated', message: /none of the keys/ });
  });

  it('takes the second key if the first one is not the right one', async () => {
    await using server = await startSshServer();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const first = Buffer.from(privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const keys = [{ text: first }, { text: server.userKey }];
    await using host = await connectSshHost(to(server, { keys }), { clock });
    expect((await host.run({ argv: ['true'] })).exitCode).toBe(0);
  });

  it('is reached through a bastion, whose key is verified as well', async () => {
    await using bastion = await startSshServer();
    await using server = await startSshServer();
    await using host = await connectSshHost(to(server, { bastion: to(bastion) }), { clock });
    expect((await host.run({ argv: ['echo', 'there'] })).stdout.toString()).toBe('there\n');
    expect([bastion.forwarded, bastion.lines, server.lines.length]).toEqual([1, [], 1]);
    const strange = to(server, { bastion: to(bastion, { knownHosts: '' }) });
    await expect(connectSshHost(strange, { clock })).rejects.toMatchObject({ message: /is not known/ });
  });

  it('is not waited for longer than said if its bastion gets no answer, and no longer than somebody wants', async () => {
    await using bastion = await startSshServer();
    bastion.swallow();
    const options = to(bastion, { bastion: to(bastion), dialTimeoutMs: 100 });
    const late = { code: 'Unavailable', cause: { code: 'DeadlineExceeded' } };
    await expect(connectSshHost(options, { clock })).rejects.toMatchObject(late);
    const reason = new Error('Ctrl-C');
    const stopped = connectSshHost({ ...options, dialTimeoutMs: 1e6 }, { clock }, AbortSignal.abort(reason));
    await expect(stopped).rejects.toBe(reason);
  });

  it('that is lost in the middle of a program is told as lost', async () => {
    await using server = await startSshServer();
    await using host = await connectSshHost(to(server), { clock });
    const running = host.run({ argv: ['sleep', '1000'] });
    await expect.poll(() => server.lines).toHaveLength(1);
    server.cut();
    await expect(running).rejects.toMatchObject({ code: 'Unavailable', hint: /again/ });
    await expect(host.run({ argv: ['true'] })).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('that nobody answers for is told as not reachable', async () => {
    const server = await startSshServer();
    const options = to(server);
    await server[Symbol.asyncDispose]();
    await expect(connectSshHost(options, { clock })).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

/** As sudo reads: byte by byte up to the end of a line, and only if it asks. Source: sudo, src/tgetpass.c. */
const sudoScript = (asks: boolean): string => `#!/bin/sh
if ${asks}; then
  case "$1" in -n) exit 1 ;; esac
  IFS= read -r password
  [ "$password" = "hunter 2" ] || exit 1
fi
while [ "$1" != -- ]; do shift; done
shift
exec "$@"`;

async function openSudo(asks: boolean, password = 'hunter 2'): Promise<Host> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-sudo-'));
  await writeFile(join(folder, 'sudo'), sudoScript(asks), { mode: 0o755 });
  const local = createLocalHost({ clock });
  const path = `PATH=${folder}:${process.env['PATH']}`;
  return await createSudoHost(
    {
      ...local,
      run: (command, signal) => local.run({ ...command, argv: ['env', path, ...command.argv] }, signal),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
    },
    { password },
  );
}

hostContract('a machine whose sudo asks', () => openSudo(true));
hostContract('a machine whose sudo does not ask', () => openSudo(false));

describe('sudo', () => {
  it.each([true, false])('keeps the password from programs, whether it asks (%s) or not', async (asks) => {
    await using host = await openSudo(asks);
    const { stdout } = await host.run({ argv: ['cat'], stdin: 'one\n\0two' });
    expect(stdout.toString()).toBe('one\n\0two');
    expect((await host.run({ argv: ['wc', '-c'] })).stdout.toString().trim()).toBe('0');
  });

  it('that is given a wrong password runs nothing', async () => {
    await expect(openSudo(true, 'wrong')).rejects.toMatchObject({ code: 'Forbidden', message: /refuses/ });
  });

  it('that is not there, or refuses, is told', async () => {
    await using host = createLocalHost({ clock });
    const refusing = {
      ...host,
      run: async () => ({ exitCode: 1, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }),
    };
    await expect(createSudoHost(refusing, {})).rejects.toMatchObject({ code: 'Forbidden', message: /asks/ });
    const wrong = createSudoHost(refusing, { password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ code: 'Forbidden', message: /refuses/ });
  });
});
