import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Argument, Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bashCompletion, completedCommands, fishCompletion, zshCompletion } from './index.ts';

function program(): Command {
  const root = new Command('selvedge');
  const token = root.command('token').description("a shop's tokens");
  token
    .command('create')
    .description('make one: now')
    .option('-y, --yes', 'do not ask')
    .option('--kubeconfig <file>', 'which cluster')
    .option('--ttl <duration>', 'how long')
    .addOption(new Option('--transport <way>', 'how').choices(['ssh', 'job']));
  token.command('list').description('all');
  root.command('check').description('look');
  root.command('completion').addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh']));
  return root;
}

const commands = completedCommands(program());
const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'completion-'));
  await writeFile(join(folder, 'selvedge.bash'), bashCompletion(commands));
});
afterAll(() => rm(folder, { recursive: true }));

/** What bash itself offers after these words. */
async function offered(...typed: readonly string[]): Promise<readonly string[]> {
  const script =
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _selvedge; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout } = await run('bash', [
    '-c',
    script,
    'bash',
    join(folder, 'selvedge.bash'),
    'selvedge',
    ...typed,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['to'], ['token']],
    [
      ['token', ''],
      ['create', 'list', '-h', '--help'],
    ],
    [
      ['token', 'create', '--t'],
      ['--ttl', '--transport'],
    ],
    [['token', 'create', '--yes', '--k'], ['--kubeconfig']],
    [
      ['token', 'create', '--transport', ''],
      ['ssh', 'job'],
    ],
    [['token', 'create', '--transport', 's'], ['ssh']],
    [['token', 'create', '--ttl', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', '-h', '--help'],
    ],
  ])('after %j offers %j', async (typed, words) => {
    expect(await offered(...typed)).toEqual(words);
  });

  it('offers files where a file is wanted', async () => {
    expect(await offered('token', 'create', '--kubeconfig', `${folder}/sel`)).toEqual([
      `${folder}/selvedge.bash`,
    ]);
  });
});

it('zsh and fish are told of every command and flag, with what they are for', () => {
  const zsh = zshCompletion(commands);
  expect(zsh).toContain("'create:make one\\: now'");
  expect(zsh).toContain("'*--kubeconfig=[which cluster]:file:_files'");
  expect(zsh).toContain("'*-y[do not ask]'");
  expect(zsh).toContain("'1: :(bash zsh)'");
  expect(zsh).toContain('create) _selvedge_token_create ;;');
  const fish = fishCompletion(commands);
  expect(fish).toContain(
    "complete -c selvedge -n 'not __fish_seen_subcommand_from token check completion' -a token -d 'a shop\\'s tokens'",
  );
  expect(fish).toContain(
    "complete -c selvedge -n '__fish_seen_subcommand_from token; and __fish_seen_subcommand_from create' -l transport -x -a 'ssh job' -d 'how'",
  );
  expect(fish).toContain("complete -c selvedge -n '__fish_seen_subcommand_from completion' -a zsh");
});
