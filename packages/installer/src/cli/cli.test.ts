import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../command/index.ts';
import { exitCodeOf } from './errors/index.ts';
import { parseEndpoint } from './flags/machines.ts';
import { type CliHost, runCli } from './index.ts';
import { type CommandRun, createProgram } from './program.ts';

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in which nothing is, whose Ctrl-C is pressed by hand. */
function createHost(args: readonly string[]): {
  readonly host: CliHost;
  readonly interrupt: () => void;
  readonly told: () => Promise<Pick<Told, 'stdout' | 'stderr'>>;
} {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const listeners = new Set<() => void>();
  const host: CliHost = {
    args,
    env: {},
    stdin: Readable.from([]),
    stdout,
    stderr,
    clock: createManualClock(),
    random: () => 0.5,
    version: '1.2.3',
    programFolder: '/nonexistent',
    person: { name: 'me', home: '/nonexistent', isRoot: false },
    machine: { name: 'here', addresses: [] },
    onInterrupt(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  return {
    host,
    interrupt: () => listeners.forEach((listener) => listener()),
    async told() {
      stdout.end();
      stderr.end();
      const [out, err] = await Promise.all([text(stdout), text(stderr)]);
      return { stdout: out, stderr: err };
    },
  };
}

async function run(...args: readonly string[]): Promise<Told> {
  const { host, told } = createHost(args);
  const code = await runCli(host);
  return { code, ...(await told()) };
}

describe('the command line', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['no command', [], /Usage: selvedge/],
    ['an unknown command', ['fly'], /unknown command 'fly'[^]*next {2}selvedge --help/],
    [
      'an unknown flag',
      ['token', 'list', '--fast'],
      /unknown option '--fast'[^]*next {2}selvedge token list --help/,
    ],
    ['a flag without what it needs', ['convert'], /--tunnel-server <host:port>' not specified/],
    ['a tunnel server without a port', ['convert', '--tunnel-server', 'a:443,b'], /"b" is not host:port/],
    ['a value that is none', ['unit', 'move', 'a', 'b', '--timeout', 'soon'], /use 90s, 30m/],
    ['a cluster that is not known', ['unit', 'list'], /no kubeconfig found[^]*next {2}use --kubeconfig FILE/],
    ['a file that is not there', ['unit', 'list', '--kubeconfig', '/none'], /\/none cannot be read/],
    [
      'a name that no node can have',
      ['token', 'create', '--node', 'shop..7'],
      /"shop\.\.7" is not a valid node name/,
    ],
    [
      'two choices at once',
      ['unit', 'create', 'a', '--nodes', 'b', '--selector', 'c=d'],
      /--nodes or --selector/,
    ],
    [
      'Jobs without an API server',
      ['revert', '--offline', '--transport', 'job', '--nodes', 'a=10.0.0.1', '--yes'],
      /--transport job needs the API server[^]*next {2}use --transport ssh/,
    ],
    [
      'another machine than this',
      ['reset', '--machine', 'there'],
      /--machine and --transport ssh must be used together/,
    ],
  ])('ends with 2 at %s, and says what would be right', async (_what, args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('says a wrong use as JSON to a program', async () => {
    const { code, stdout, stderr } = await run('token', 'list', '--json', '--fast');
    expect([code, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toMatchObject({
      kind: 'Error',
      code: 'Invalid',
      next: 'selvedge token list --help',
    });
  });

  it('tells its version and its help on stdout', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: 'selvedge 1.2.3\n', stderr: '' });
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Exit codes: 0 done; 1 failed; 2 wrong usage/m);
  });

  it('does not repeat a token that was typed in the wrong place', async () => {
    const { stderr } = await run('token', 'delete', 'abcdef.0123456789abcdef');
    expect(stderr).not.toContain('0123456789abcdef');
  });
});

describe('a command', () => {
  const plan: Plan = {
    title: 'make a till',
    parts: [{ where: 'node shop-1', changes: [{ what: 'write /etc/till', detail: ['+on'] }] }],
    warnings: ['it is loud'],
  };
  const empty: Plan = { ...plan, parts: [], warnings: [] };
  const frame = { kind: 'Made', describe: ({ made }: { readonly made: string }) => `made ${made}` };

  async function perform(
    flags: { readonly json?: boolean; readonly dryRun?: boolean; readonly yes?: boolean },
    work: (run: CommandRun, interrupt: () => void) => Promise<{ readonly made: string }>,
  ): Promise<Told> {
    const { host, told, interrupt } = createHost([]);
    const program = createProgram(host);
    await program.perform(frame, flags, (given) => work(given, interrupt));
    return { code: program.exitCode(), ...(await told()) };
  }

  const make = async ({ agree }: CommandRun): Promise<{ readonly made: string }> => ({
    made: (await agree(plan)) ? 'it' : 'nothing',
  });

  it('shows its plan, does it with --yes, and prints the result alone on stdout', async () => {
    const { code, stdout, stderr } = await perform({ yes: true }, make);
    expect([code, stdout]).toEqual([0, 'made it\n']);
    expect(stderr).toMatch(
      /make a till\n.*\n.*node shop-1\n.* {2}- write \/etc\/till\n.* {6}\+on\n.*\n.*warning: it is loud/,
    );
  });

  it('prints its plan alone with --dry-run', async () => {
    const { code, stdout, stderr } = await perform({ dryRun: true }, make);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^make a till\n\nnode shop-1\n/);
    const json = await perform({ dryRun: true, json: true }, make);
    expect(JSON.parse(json.stdout)).toEqual({
      apiVersion: 'cli.selvedge.io/v1alpha1',
      kind: 'Plan',
      ...plan,
    });
  });

  it('names the flag where nobody can be asked', async () => {
    const { code, stdout, stderr } = await perform({}, make);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /cannot ask for confirmation[^]*use --yes to proceed without asking, or --dry-run to see the plan/,
    );
  });

  it('needs nobody where nothing is to be done, and says so', async () => {
    const { code, stdout, stderr } = await perform({}, async ({ agree }) => ({
      made: String(await agree(empty)),
    }));
    expect([code, stdout]).toEqual([0, 'made true\n']);
    expect(stderr).toContain('make a till: nothing to do');
  });

  it('tells an error with its causes, without what is secret', async () => {
    const { code, stderr } = await perform({ yes: true }, async () => {
      const cause = new Error('401 for Bearer abcdefgh12345678');
      throw new SelvedgeError('the API server refuses', { code: 'Unauthenticated', cause });
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /selvedge: the API server refuses\n.* why {3}401 for Bearer \[redacted\]\n.* next {2}check that/,
    );
  });

  it('ends at the first Ctrl-C as soon as it can, and says how to go on', async () => {
    const { code, stdout, stderr } = await perform({ yes: true }, async ({ signal, progress }, interrupt) => {
      await progress.task('wait', async () => {
        interrupt();
        signal.throwIfAborted();
      });
      return { made: 'it' };
    });
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(
      /stopping after the current operation[^]*# wait \(0\.0 s\)[^]*stopped; run the same command again/,
    );
  });

  it('ends at once at the second', async () => {
    const { stderr } = await perform({ yes: true }, async (_run, interrupt) => {
      interrupt();
      interrupt();
      return { made: 'it' };
    });
    expect(stderr).toContain('exit 130');
  });
});

describe('an exit code', () => {
  it.each([
    [new SelvedgeError('x', { code: 'Invalid' }), 2],
    [new SelvedgeError('x', { code: 'Conflict', details: { findings: ['shop-1'] } }), 3],
    [new SelvedgeError('x', { code: 'Aborted' }), 130],
    [new SelvedgeError('x', { code: 'Unavailable' }), 1],
    [new Error('x'), 1],
  ])('of %s is %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('an address', () => {
  it.each([
    ['shop-1', { host: 'shop-1' }],
    ['me@10.0.0.7:2222', { user: 'me', host: '10.0.0.7', port: 2_222 }],
    ['[2001:db8::1]:22', { host: '2001:db8::1', port: 22 }],
  ])('%s is read', (address, endpoint) => {
    expect(parseEndpoint(address)).toEqual(endpoint);
  });

  it.each(['', 'a b', 'shop:0', 'shop:99999', '@shop'])('%j is none', (address) => {
    expect(() => parseEndpoint(address)).toThrow('is not an address');
  });
});
