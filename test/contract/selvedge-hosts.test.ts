import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { CliHost, Hosts } from '@selvedge/installer';
import { type HostsFlags, type MachinesDeps, createHosts, jobOptionsOf } from '@selvedge/installer/testing';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type SshServer, startSshServer } from './ssh-server.ts';

/** How the flags of `selvedge` become ways to machines. */

vi.setConfig({ testTimeout: 60_000 });

const passphrase = 'correct horse';
let server: SshServer;
let home: string;
let flags: HostsFlags;

beforeAll(async () => {
  server = await startSshServer();
  home = await mkdtemp(join(tmpdir(), 'selvedge-home-'));
  await mkdir(join(home, '.ssh'));
  await writeFile(join(home, '.ssh/known_hosts'), `[127.0.0.1]:${server.port} ${server.hostKey}\n`);
  await writeFile(join(home, 'key'), server.userKey, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const locked = privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  await writeFile(join(home, 'locked'), locked, { mode: 0o600 });
  await writeFile(join(home, 'passphrase'), `${passphrase}\n`, { mode: 0o600 });
  flags = { transport: 'ssh', sshUser: 'test', sshPort: server.port, sshKey: [join(home, 'key')] };
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

const hostOf = (more: Partial<CliHost> = {}): CliHost => ({
  args: [],
  env: {},
  stdin: Readable.from([]),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  clock: systemClock,
  random: () => 0.5,
  version: '0.0.0-test',
  programFolder: home,
  person: { name: 'me', home, isRoot: false },
  machine: { name: 'here', addresses: ['203.0.113.7'] },
  onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  exit: (code) => {
    throw new Error(`exit ${code}`);
  },
  ...more,
});

type Prompts = NonNullable<MachinesDeps['prompts']>;

/** What flags lead to, without a cluster: only Jobs need one. */
const hostsOf = (
  chosen: HostsFlags,
  { host = hostOf(), prompts }: Partial<Pick<MachinesDeps, 'host' | 'prompts'>> = {},
): Promise<Hosts> =>
  createHosts(chosen, {
    host,
    prompts,
    progress: { note: () => undefined },
    cluster: {} as MachinesDeps['cluster'],
  });

/** Somebody who answers so, and what was asked. */
function answering(secret: string): Prompts & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    confirm: async () => true,
    async secret(question) {
      asked.push(question);
      return secret;
    },
  };
}

/** What became of opening a machine: nothing, or the message. */
async function opening(
  addresses: readonly string[],
  more: Partial<HostsFlags> = {},
): Promise<string | undefined> {
  const hosts = await hostsOf({ ...flags, ...more });
  try {
    await using host = await hosts.open({ name: 'shop-1', addresses });
    await host.run({ argv: ['true'] });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const unreachable = '127.0.0.9';

describe('machines behind SSH', () => {
  it('are reached at the first address that answers, as who is no root by sudo', async () => {
    const before = server.lines.length;
    await opening([unreachable, '127.0.0.1']);
    expect(server.lines[before]).toBe('sudo -n -k true');
  });

  it('are reached where a person says, whatever the Node says', async () => {
    const before = server.lines.length;
    await opening([unreachable], { address: { 'shop-1': { host: '127.0.0.1' } } });
    expect(server.lines.length).toBeGreaterThan(before);
    expect(await opening([unreachable])).toMatch(/test@127\.0\.0\.9:\d+ cannot be reached/);
    expect(await opening([])).toMatch(/its Node has none/);
  });

  it('are nobody else and nowhere else because of what a Node says', async () => {
    const before = server.lines.length;
    const said = `root@127.0.0.1:${server.port}`;
    expect(await opening([said])).toMatch(/test@root@127\.0\.0\.1:\d+:\d+ cannot be reached/);
    expect(server.lines).toHaveLength(before);
  });

  it('are not tried further once one refuses: it would be refused everywhere', async () => {
    const none = join(home, 'none');
    await writeFile(none, '');
    expect(await opening(['127.0.0.1', unreachable], { knownHosts: [none] })).toMatch(
      /host key .* is not known/,
    );
  });

  it('are given the password of sudo on stdin, and it is in no command line', async () => {
    const file = join(home, 'password');
    await writeFile(file, 'hunter2\n', { mode: 0o600 });
    await opening(['127.0.0.1'], { sudoPasswordFile: file });
    expect(server.lines.join('\n')).not.toContain('hunter2');
  });
});

describe('the way that the flags choose', () => {
  it('leads where a person says beside the name of a node, with user and port', async () => {
    const { sshPort: _port, sshUser: _user, ...rest } = flags;
    const nodes = [{ name: 'shop-1', address: `test@127.0.0.1:${server.port}` }];
    const hosts = await hostsOf({ ...rest, nodes });
    const before = server.lines.length;
    await hosts.open({ name: 'shop-1', addresses: [unreachable] }).catch(() => undefined);
    expect(server.lines.length).toBeGreaterThan(before);
  });

  it('leads through the image of this version, unless a person has another one', () => {
    expect(jobOptionsOf({}, { version: '1.2.3' })).toEqual({ image: 'selvedge.io/node-shell:1.2.3' });
    expect(jobOptionsOf({ jobImage: 'a', jobNamespace: 'b' }, { version: '1.2.3' })).toEqual({
      image: 'a',
      namespace: 'b',
    });
  });
});

describe('a key with a passphrase', () => {
  const create = (prompts: Prompts | undefined, more: Partial<HostsFlags> = {}): Promise<unknown> =>
    hostsOf({ ...flags, sshKey: [join(home, 'locked')], ...more }, { prompts });

  it('is asked about once, before anything is begun', async () => {
    const prompts = answering(passphrase);
    await create(prompts);
    expect(prompts.asked).toEqual([`the passphrase of ${join(home, 'locked')}`]);
  });

  it('is opened by a file, which nobody has to be asked for', async () => {
    await expect(
      create(undefined, { sshKeyPassphraseFile: join(home, 'passphrase') }),
    ).resolves.toBeDefined();
  });

  it('is told by the name of the flag where nobody can be asked, and without what was typed if it is wrong', async () => {
    await expect(create(undefined)).rejects.toMatchObject({
      code: 'Invalid',
      hint: 'use --ssh-key-passphrase-file FILE',
    });
    await expect(create(answering('hunter2'))).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.not.stringContaining('hunter2') as string,
    });
  });
});

describe('this machine', () => {
  const root = hostOf({ person: { name: 'root', home: '/root', isRoot: true } });
  const here = (host: CliHost): Promise<Hosts> => hostsOf({ transport: 'local' }, { host });

  it('is known by its name and by its addresses, and is no other', async () => {
    const hosts = await here(root);
    await using byName = await hosts.open({ name: 'here', addresses: [] });
    await using byAddress = await hosts.open({ name: 'shop-1', addresses: ['203.0.113.7'] });
    expect([byName.name, byAddress.name]).toEqual(['this machine', 'this machine']);
    await expect(hosts.open({ name: 'shop-2', addresses: ['203.0.113.8'] })).rejects.toMatchObject({
      message: 'this machine is here, not shop-2',
    });
  });

  it('is left alone by who is no root', async () => {
    const hosts = await here(hostOf());
    await expect(hosts.open({ name: 'here', addresses: [] })).rejects.toMatchObject({
      code: 'Forbidden',
      hint: 'run it with sudo',
    });
  });
});
