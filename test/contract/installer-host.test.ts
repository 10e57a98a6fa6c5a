import { generateKeyPairSync } from 'node:crypto';
import { type SshOptions, connectSshHost, createLocalHost, createSudoHost } from '@selvedge/installer';
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

describe('sudo', () => {
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
