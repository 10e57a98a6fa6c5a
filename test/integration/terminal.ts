import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@selvedge/kit';
import { waitFor } from '../bed/wait.ts';

const run = promisify(execFile);

/** A real terminal with a shell in it, which nobody sees: tmux. */
export interface Terminal extends AsyncDisposable {
  /** Types a line, and Enter. */
  type(line: string): Promise<void>;
  /** Keys as tmux names them: `y`, `Enter`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
  /** What is on the screen, blank lines at the end aside. */
  screen(): Promise<string>;
  /** The screen, once something is on it. */
  shows(wanted: RegExp): Promise<string>;
  /** Makes it empty, above too. */
  clear(): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
}

export async function openTerminal({ columns, rows, env }: TerminalOptions): Promise<Terminal> {
  const folder = await mkdtemp(join(tmpdir(), 'terminal-'));
  const tmux = (...args: readonly string[]): Promise<{ readonly stdout: string }> =>
    run('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args]);
  // Not by -e: a login shell of tmux would have the last word about PATH.
  const variables = Object.entries({ ...env, LANG: 'C.UTF-8' }).map(([name, value]) => `${name}=${value}`);
  const size = ['-x', String(columns), '-y', String(rows)];
  await tmux('-u', 'new-session', '-d', '-s', 'test', ...size, 'env', ...variables, 'sh');
  const screen = async (): Promise<string> =>
    (await tmux('capture-pane', '-p', '-t', 'test')).stdout.trimEnd();
  const shows = async (wanted: RegExp): Promise<string> => {
    let last = '';
    const look = async (): Promise<string | undefined> => {
      last = await screen();
      return wanted.test(last) ? last : undefined;
    };
    return waitFor({ what: `${wanted} on the terminal` }, systemClock, look).catch((cause: unknown) => {
      throw new Error(`there is no ${wanted} on the terminal, but:\n${last}`, { cause });
    });
  };
  // dash says who one is.
  await shows(/[$#]/);
  return {
    screen,
    shows,
    async type(line) {
      await tmux('send-keys', '-t', 'test', '-l', line);
      await tmux('send-keys', '-t', 'test', 'Enter');
    },
    async press(...keys) {
      await tmux('send-keys', '-t', 'test', ...keys);
    },
    async clear() {
      await tmux('send-keys', '-t', 'test', 'C-l');
      await tmux('clear-history', '-t', 'test');
    },
    async resize(newColumns, newRows) {
      await tmux('resize-window', '-t', 'test', '-x', String(newColumns), '-y', String(newRows));
    },
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
