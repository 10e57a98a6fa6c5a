import { describe, expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host, HostCommand } from '../host/index.ts';
import { systemClock } from '@selvedge/kit';
import type { ExecutorDeps } from './executor.ts';
import { imagesExecutor, podsExecutor, secretExecutor, sysctlExecutor } from './lite-steps.ts';
import { packagesExecutor } from './packages-step.ts';
import { rulesExecutor } from './rules-step.ts';
import { createTestDisk } from './testing-disk.ts';

const { signal } = new AbortController();

/** What a program of a machine answers; undefined: it succeeds and says nothing. */
type Answers = (words: readonly string[], command: HostCommand) => string | number | undefined;

/** A machine whose programs answer as told, and what was run there, without the environment. */
function machine(answers: Answers): { readonly deps: ExecutorDeps; readonly ran: string[] } {
  const ran: string[] = [];
  const host: Host = {
    name: 'till-5',
    async run(command) {
      const words = command.argv.filter((word) => word !== 'env' && !/^[A-Z_]+=/.test(word));
      ran.push(words.join(' '));
      const answer = answers(words, command);
      const exitCode = typeof answer === 'number' ? answer : 0;
      const stdout = Buffer.from(typeof answer === 'string' ? answer : '');
      return { exitCode, stdout, stderr: Buffer.from(exitCode === 0 ? '' : 'no') };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const sources = async (name: string): Promise<Uint8Array> => Buffer.from(name);
  // Pieces of files are not what is looked at here.
  const files = { ...createHostFiles(host), upload: () => Promise.resolve() };
  return { deps: { host, files, run: 'r1', clock: systemClock, sources }, ran };
}

const programs = (ran: readonly string[]): readonly string[] =>
  ran.filter((line) => !line.startsWith('sh -c'));

describe('packages', () => {
  const step = { kind: 'packages', manager: 'apt', names: ['containerd'], archives: [] } as const;
  const states = 'ii iptables\nun runc\n';

  it('that a simulation names and that are not there are those that came with the step', async () => {
    const { deps } = machine(([program, ...words]) => {
      if (words.includes('--simulate'))
        return 'Inst runc (1)\nInst containerd (1)\nInst iptables (2)\nConf runc\n';
      return program === 'dpkg-query' ? states : undefined;
    });
    const before = await packagesExecutor(deps).look(step, signal);
    expect(before).toEqual({ kind: 'packages', missing: ['runc', 'containerd'] });
  });

  it('go with their configuration, those alone that came and are there', async () => {
    const { deps, ran } = machine(([program]) =>
      program === 'dpkg-query' ? 'ii runc\nrc containerd\n' : undefined,
    );
    const before = { kind: 'packages', missing: ['runc', 'containerd', 'libseccomp2'] } as const;
    await packagesExecutor(deps).undo(step, before, signal);
    expect(programs(ran).at(-1)).toBe('dpkg --purge -- runc containerd');
  });

  it.each([
    ['apt', 'dpkg --simulate --purge -- runc'],
    ['dnf', 'rpm --erase --test runc'],
  ] as const)('that others need by now stay with those others: %s', async (manager, test) => {
    const { deps, ran } = machine((words) => {
      if (words.join(' ') === test) return 1;
      return words.includes('--query') || words[0] === 'dpkg-query' ? 'ii runc\n' : undefined;
    });
    const before = { kind: 'packages', missing: ['runc'] } as const;
    const undone = packagesExecutor(deps).undo({ ...step, manager }, before, signal);
    await expect(undone).rejects.toMatchObject({ code: 'Conflict', message: /need runc$/ });
    expect(programs(ran).at(-1)).toBe(test);
  });

  it('that are installed keep their version, whatever came with the release', async () => {
    const { deps, ran } = machine(([program]) => (program === 'dpkg-query' ? 'ii runc\n' : undefined));
    const executor = packagesExecutor(deps);
    const before = { kind: 'packages', missing: [] } as const;
    await executor.apply({ ...step, archives: ['runc_1_amd64.deb', 'a_1_all.deb'] }, before, signal);
    expect(programs(ran).at(-1)).toMatch(/^dpkg --install -- \S+\/a_1_all\.deb$/);
    await executor.apply({ ...step, names: ['runc', 'a'] }, before, signal);
    expect(programs(ran).at(-1)).toBe(
      'apt-get --yes --no-install-recommends --no-remove --no-upgrade install -- a',
    );
  });

  it('are none when all is undone', async () => {
    const { deps, ran } = machine(() => undefined);
    await packagesExecutor(deps).undo(step, { kind: 'packages', missing: ['runc'] }, signal);
    expect(programs(ran).filter((line) => line.includes('purge'))).toEqual([]);
  });

  it('of files are brought there, installed without a look at any mirror, and their files go', async () => {
    const { deps, ran } = machine(([program]) => (program === 'dpkg-query' ? '' : undefined));
    const files = { ...step, archives: ['runc_1_amd64.deb', 'containerd_1_amd64.deb'] };
    const executor = packagesExecutor(deps);
    expect(await executor.look(files, signal)).toEqual({ kind: 'packages', missing: ['runc', 'containerd'] });
    await executor.apply(files, { kind: 'packages', missing: [] }, signal);
    const folder = '/var/lib/selvedge-installer/packages';
    const query = 'dpkg-query --show --showformat=${db:Status-Abbrev}${Package}\n runc containerd';
    expect(programs(ran)).toEqual([
      query,
      'dpkg --set-selections',
      query,
      `dpkg --install -- ${folder}/runc_1_amd64.deb ${folder}/containerd_1_amd64.deb`,
    ]);
  });

  it('of a run that was interrupted are ended, and no others that are half installed', async () => {
    const { deps, ran } = machine(([program, ...words]) =>
      program === 'dpkg-query'
        ? words.includes('runc')
          ? 'iF runc\niU containerd\nii libc6\n'
          : ''
        : undefined,
    );
    const missing = ['runc', 'containerd', 'libc6'];
    await packagesExecutor(deps).apply(step, { kind: 'packages', missing }, signal);
    expect(programs(ran).filter((line) => line.includes('--configure'))).toEqual([
      'dpkg --configure -- runc containerd',
    ]);
  });

  it('that cannot be fetched are told with what to do', async () => {
    const { deps } = machine(([program]) => (program === 'apt-get' ? 100 : undefined));
    const looking = packagesExecutor(deps).look(step, signal);
    await expect(looking).rejects.toMatchObject({
      code: 'Unavailable',
      hint: expect.stringContaining('packages/'),
    });
  });
});

describe('a parameter of the kernel', () => {
  const step = { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '1' } as const;
  const undo = async (links: string): Promise<readonly [string | undefined, readonly string[]]> => {
    const notes: string[] = [];
    const { deps, ran } = machine(([program, ...words]) => {
      if (program === 'cat') return '1\n';
      return words.join(' ').includes('/sys/class/net') ? links : undefined;
    });
    const executor = sysctlExecutor({ ...deps, onNote: (text) => notes.push(text) });
    await executor.undo(step, { kind: 'value', value: '0' }, signal);
    return [ran.find((line) => line.endsWith('/proc/sys/net/ipv4/ip_forward 0')), notes];
  };

  it('is as it was, unless bridges of others have come that need it', async () => {
    expect(await undo('')).toEqual([expect.any(String), []]);
    expect(await undo('docker0\nvirbr0\n')).toEqual([
      undefined,
      [expect.stringMatching(/^net\.ipv4\.ip_forward stays 1, .*docker0, virbr0 .*it was 0$/)],
    ]);
  });
});

describe('images', () => {
  it('that were pulled go, those that were there stay', async () => {
    const { deps, ran } = machine((words) => (words.includes('list') ? 'a\nb\nc\n' : undefined));
    const step = { kind: 'images', namespace: 'k8s.io' } as const;
    await imagesExecutor(deps).undo(step, { kind: 'images', names: ['b'] }, signal);
    expect(ran.at(-1)).toBe('ctr --namespace k8s.io images remove --sync a c');
    await imagesExecutor(deps).undo(step, { kind: 'images', names: ['a', 'b', 'c'] }, signal);
    expect(ran.at(-1)).toContain('list');
  });
});

describe('pods', () => {
  const step = {
    kind: 'pods',
    program: '/usr/local/bin/edge-lite',
    config: '/etc/selvedge/edge-lite.yaml',
  } as const;

  it('are ended by edge-lite, which says why it cannot', async () => {
    const there = (words: readonly string[]): string | undefined =>
      words[0] === 'sh' ? `file 644 0 0 1 1\n${'0'.repeat(64)} -\n` : undefined;
    const { deps, ran } = machine(there);
    await podsExecutor(deps).undo(step, { kind: 'nothing' }, signal);
    expect(ran.at(-1)).toBe('/usr/local/bin/edge-lite clear --config /etc/selvedge/edge-lite.yaml');
    const broken = machine((words) => (words.includes('clear') ? 1 : there(words)));
    const ending = podsExecutor(broken.deps).undo(step, { kind: 'nothing' }, signal);
    await expect(ending).rejects.toMatchObject({
      hint: expect.stringContaining('systemctl start containerd'),
    });
  });

  it('are none where edge-lite is not', async () => {
    const { deps, ran } = machine(() => 'absent\n');
    await podsExecutor(deps).undo(step, { kind: 'nothing' }, signal);
    expect(programs(ran)).toEqual([]);
  });
});

describe('rules of the packet filter', () => {
  it('of plugins go, and tables that came with them unless somebody uses them', async () => {
    const tables = 'table ip nat\ntable ip mine\ntable inet theirs\n';
    const { deps, ran } = machine((words) => {
      const line = words.join(' ');
      if (line === 'nft list tables') return tables;
      if (line === 'iptables-save -t nat') return '*nat\n:CNI-HOSTPORT-DNAT - [0:0]\nCOMMIT\n';
      if (line.startsWith('nft --json')) {
        return JSON.stringify({ nftables: line.endsWith('theirs') ? [{ rule: {} }] : [{ chain: {} }] });
      }
      return undefined;
    });
    const chains = { iptables: [], ip6tables: [] };
    const before = { kind: 'tables', names: ['ip mine'], chains } as const;
    await rulesExecutor(deps).undo({ kind: 'rules' }, before, signal);
    expect(ran.filter((line) => line.includes('restore') || line.includes('delete'))).toEqual([
      'iptables-restore --noflush',
      'nft delete table ip nat',
    ]);
  });

  it('of another runtime, that were there before, stay', async () => {
    const { deps, ran } = machine((words) =>
      words[0] === 'ip6tables-save' ? '*nat\n:CNI-HOSTPORT-DNAT - [0:0]\nCOMMIT\n' : undefined,
    );
    const executor = rulesExecutor(deps);
    await executor.undo({ kind: 'rules' }, await executor.look({ kind: 'rules' }, signal), signal);
    expect(ran.filter((line) => line.includes('restore'))).toEqual([]);
  });
});

describe('a secret', () => {
  it('is read by root alone, is in no argument, and goes even if its reader took it', async () => {
    await using disk = await createTestDisk();
    const ran: string[] = [];
    const host: Host = {
      ...disk.host,
      run: (command, within) => {
        ran.push(command.argv.join(' '));
        return disk.host.run(command, within);
      },
    };
    const sources = async (): Promise<Uint8Array> => Buffer.from('0123456789abcdef');
    const deps = { host, files: createHostFiles(host), run: 'r1', clock: systemClock, sources };
    const executor = secretExecutor(deps);
    const step = { kind: 'secret', path: `${disk.folder}/token`, source: 'token' } as const;
    const before = await executor.look(step, signal);
    await executor.apply(step, before, signal);
    const facts = [...(await disk.look()).values()];
    expect(facts).toEqual([expect.stringMatching(/^file 100600 /)]);
    expect(ran.join('\n')).not.toContain('0123456789abcdef');
    await expect(executor.look(step, signal)).rejects.toMatchObject({ code: 'Conflict' });
    await executor.undo(step, before, signal);
    await executor.undo(step, before, signal);
    expect([...(await disk.look())]).toEqual([]);
  });
});
