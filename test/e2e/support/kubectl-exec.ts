import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';
import { expect, it } from 'vitest';
import type { KubectlNode } from './kubectl-node.ts';
import { type KubectlPrograms, type Talk, until } from './programs.ts';
import { pour, tallyOf, tallyOfText } from './traffic.ts';
import { podOf } from './tunnel-pods.ts';

/** kubectl in a terminal whose size may be changed while it runs. */
interface Terminal extends Talk {
  resize(rows: number, columns: number): Promise<void>;
}

/** Source: script(1); the size of a terminal is set from outside as a window manager does it, and SIGWINCH follows. */
async function openTerminal(
  kubectl: KubectlPrograms,
  args: readonly string[],
  [rows, columns]: readonly [number, number],
): Promise<Terminal> {
  const command = `tty; stty rows ${rows} cols ${columns}; exec ${kubectl.argv(...args).join(' ')}`;
  const talk = kubectl.talk(['script', '-qec', command, '/dev/null']);
  const [device] = await talk.hears(/\/dev\/pts\/\d+/);
  return Object.assign(talk, {
    async resize(newRows: number, newColumns: number) {
      await run({ argv: ['stty', '-F', device, 'rows', String(newRows), 'cols', String(newColumns)] });
    },
  });
}

/** Files of several sizes, with names that a shell would take apart; resolves with the folder. */
async function writeTree(root: string): Promise<string> {
  const folder = join(root, 'tree');
  await mkdir(join(folder, 'a folder', 'deep'), { recursive: true });
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'a folder', 'über $HOME.txt'), 'text\n');
  await writeFile(join(folder, 'a folder', 'deep', 'random'), randomBytes(3_000_000));
  return folder;
}

/** The paths in a folder with their checksums. */
async function checksums(folder: string): Promise<readonly string[]> {
  const argv = ['find', '.', '-type', 'f', '-exec', 'sha256sum', '{}', '+'] as const;
  return (await run({ argv: [...argv], cwd: folder })).stdout.split('\n').toSorted();
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tunnel-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** `exec`, `attach` and `cp`. */
export function itRunsPrograms(suite: KubectlNode): void {
  const { kubectl, node, pipedBytes } = suite;
  const tools = podOf(node);

  it.each([0, 7, 137])('runs commands, with their output, their errors and exit code %d', async (code) => {
    const end = code === 137 ? 'kill -9 $$' : `exit ${code}`;
    const script = `echo out; echo err >&2; ${end}`;
    const said = await kubectl.run(['exec', tools, '--', 'sh', '-c', script]);
    expect(said).toMatchObject({ exitCode: code, stdout: 'out\n' });
    expect(said.stderr).toMatch(/^err\n/);
  });

  it('takes input and gives output to the last byte, both at once, and is told of the end', async () => {
    // It ends after all of its output was read: what still is on the way when a program ends, containerd may drop.
    const script = `dd bs=64k count=${pipedBytes / 65_536} iflag=fullblock 2>/dev/null; wc -c`;
    const echo = kubectl.spawn(kubectl.argv('exec', '--stdin', tools, '--', 'sh', '-c', script));
    const pouring = pour(echo.stdin, pipedBytes, { end: false });
    const back = await tallyOf(echo.stdout, pipedBytes);
    expect(back).toEqual(await pouring);
    echo.stdin.end();
    expect(await tallyOf(echo.stdout)).toEqual(tallyOfText('0\n'));
  });

  it('gives a command a terminal of the caller’s size, also when that changes', async () => {
    const looking = ['sh', '-c', '"while', 'sleep', '0.2;', 'do', 'stty', 'size;', 'done"'];
    const terminal = await openTerminal(kubectl, ['exec', '-it', tools, '--', ...looking], [33, 99]);
    await terminal.hears(/^33 99\r?$/m);
    await terminal.resize(50, 120);
    await terminal.hears(/^50 120\r?$/m);
  });

  it('attaches to a program that reads', async () => {
    const talk = kubectl.talk(kubectl.argv('attach', '--stdin', tools, '--container=ear'));
    talk.child.stdin.write('knock\n');
    await talk.hears(/^heard knock$/m);
    talk.child.stdin.write('again\n');
    await talk.hears(/^heard again$/m);
  });

  it('attaches to a program in a terminal, whose size follows the caller’s', async () => {
    const terminal = await openTerminal(kubectl, ['attach', '-it', tools, '--container=desk'], [31, 71]);
    const answers = (wanted: RegExp): Promise<RegExpExecArray> =>
      until(`an answer like ${wanted.source}`, async () => {
        terminal.child.stdin.write('knock\n');
        return wanted.exec(terminal.said) ?? undefined;
      });
    await answers(/heard knock, 31 71\r?$/m);
    await terminal.resize(40, 90);
    await answers(/heard knock, 40 90\r?$/m);
  });

  it('copies a file there and back', () =>
    inFolder(async (folder) => {
      const [file, back] = [join(folder, 'file'), join(folder, 'back')];
      const there = `/tmp/${randomBytes(4).toString('hex')}`;
      await writeFile(file, randomBytes(5_000_000));
      const sum = (await run({ argv: ['sha256sum', file] })).stdout.split(' ')[0];
      expect(await kubectl.run(['cp', file, `${tools}:${there}`])).toMatchObject({ exitCode: 0 });
      expect((await kubectl.run(['exec', tools, '--', 'sha256sum', there])).stdout).toBe(
        `${sum}  ${there}\n`,
      );
      expect(await kubectl.run(['cp', `${tools}:${there}`, back])).toMatchObject({ exitCode: 0 });
      expect((await run({ argv: ['sha256sum', back] })).stdout).toBe(`${sum}  ${back}\n`);
    }));

  it('copies a folder there and back', () =>
    inFolder(async (folder) => {
      const [tree, back] = [await writeTree(folder), join(folder, 'back')];
      const there = `/tmp/${randomBytes(4).toString('hex')}`;
      expect(await kubectl.run(['cp', tree, `${tools}:${there}`])).toMatchObject({ exitCode: 0 });
      expect(await kubectl.run(['cp', `${tools}:${there}`, back])).toMatchObject({ exitCode: 0 });
      const sums = await checksums(tree);
      expect(sums).toHaveLength(4);
      expect(await checksums(back)).toEqual(sums);
    }));
}
