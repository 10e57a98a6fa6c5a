import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureAssets } from '@selvedge/hack/setup';

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl as one user, which remembers nothing of what others discovered. */
export interface UserKubectl extends AsyncDisposable {
  /** Resolves whatever it ends with. */
  run(args: readonly string[], input?: string): Promise<Said>;
}

export async function createUserKubectl(kubeconfig: string): Promise<UserKubectl> {
  const { kubectl } = await ensureAssets({ binaries: ['kubectl'] });
  const cache = await mkdtemp(join(tmpdir(), 'kubectl-'));
  const flags = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${cache}`, '--request-timeout=20s'];
  return {
    async run(args, input = '') {
      const child = spawn(kubectl, [...flags, ...args], { env: { ...process.env, HOME: cache } });
      child.stdin.end(input);
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close') as Promise<[number | null]>,
      ]);
      return { code, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => rm(cache, { recursive: true }),
  };
}
