import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Argument, Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashCompletion, completedCommands } from './index.ts';

function program(): Command {
  const root = new Command('selvedge');
  root
    .command('token')
    .command('create')
    .option('-y, --yes', 'do not ask')
    .option('--kubeconfig <file>', 'which cluster')
    .option('--ttl <duration>', 'how long')
    .addOption(new Option('--transport <way>', 'how').choices(['ssh', 'job']));
  root.command('completion').addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh']));
  return root;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'completion-'));
  await writeFile(join(folder, 'selvedge.bash'), bashCompletion(completedCommands(program())));
  await writeFile(join(folder, 'admin of shop.conf'), '');
  // Called like a command, and like a choice.
  await mkdir(join(folder, 'token'));
  await mkdir(join(folder, 'ssh'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The arguments that a command gets after a person typed this in bash; `\t` is the key. It edits lines without a terminal, too. */
async function typed(line: string): Promise<readonly string[]> {
  const bash = spawn('bash', ['--norc', '--noprofile', '-i'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, INPUTRC: '/dev/null', TERM: 'dumb', PS1: '' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  bash.stdin.end(`source selvedge.bash\nselvedge() { printf '%s\\n' "$@"; }\n${line}\nexit\n`);
  return (await text(bash.stdout)).split('\n').slice(0, -1);
}

describe('the tabulator in bash', () => {
  it.each<[string, readonly string[]]>([
    ['selvedge compl\tb\t', ['completion', 'bash']],
    ['selvedge tok\tcr\t--y\t', ['token', 'create', '--yes']],
    ['selvedge token create --transport s\t', ['token', 'create', '--transport', 'ssh']],
    ['selvedge token create --transport=s\t', ['token', 'create', '--transport=ssh']],
    ['selvedge token create --transport=s\t--ye\t', ['token', 'create', '--transport=ssh', '--yes']],
    ['selvedge token create --ttl=2h --tr\tj\t', ['token', 'create', '--ttl=2h', '--transport', 'job']],
    ['selvedge token create --ttl=s\t', ['token', 'create', '--ttl=s']],
    ['selvedge token create --kubeconfig adm\t', ['token', 'create', '--kubeconfig', 'admin of shop.conf']],
    ['selvedge token create --kubeconfig=adm\t', ['token', 'create', '--kubeconfig=admin of shop.conf']],
    ['selvedge token create --kubeconfig=./tok\t', ['token', 'create', '--kubeconfig=./token/']],
  ])('completes %j', async (line, args) => {
    expect(await typed(line)).toEqual(args);
  });

  it('puts in all choices after --flag= if asked', async () => {
    const all = ['--transport=job', 'ssh'];
    expect(await typed('selvedge token create --transport=\u001B*')).toEqual(['token', 'create', ...all]);
  });
});
