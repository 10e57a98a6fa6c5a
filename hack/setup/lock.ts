import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SelvedgeError } from '@selvedge/kit';

/**
 * Takes an exclusive lock on `file` among all processes of this machine and waits for it if need be. The kernel's lock
 * is held by one child that lives as long as its stdin is open, so nothing stays behind when we are killed.
 */
export async function lockFile(file: string, signal?: AbortSignal): Promise<AsyncDisposable> {
  signal?.throwIfAborted();
  const child = spawn(
    'flock',
    ['--exclusive', '--no-fork', file, 'sh', '-c', 'echo locked; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    },
  );
  const exited = once(child, 'close').catch(() => undefined);
  child.stdin.on('error', () => undefined);
  const release = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  const outcome = Promise.race([
    once(child.stdout, 'data').then(() => 'locked' as const),
    exited.then(() => 'failed' as const),
  ]);
  const abort = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if ((await outcome) === 'failed') {
      signal?.throwIfAborted();
      throw new SelvedgeError(`cannot lock ${file}`, {
        code: 'Unavailable',
        hint: 'is flock (util-linux) there?',
      });
    }
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return { [Symbol.asyncDispose]: release };
}
