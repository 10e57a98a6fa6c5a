import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { waitFor } from '../bed/wait.ts';

/** What `test/bed/go/kube/informer` says. */
export interface InformerLine {
  readonly type: 'add' | 'update' | 'delete' | 'synced' | 'relist' | 'retry' | 'failed';
  /** `namespace/name`. */
  readonly key?: string;
  readonly version?: string;
  readonly object?: KubeObject;
  readonly message?: string;
}

/** A client-go informer in a process of its own, ended when it is disposed. */
export interface Informer extends AsyncDisposable {
  readonly lines: readonly InformerLine[];
  /** The last object delivered under the key; undefined: none, or deleted. */
  shown(key: string): KubeObject | undefined;
  /** Resolves once what was delivered last under the key is so. */
  shows<T extends KubeObject>(key: string, so: (object: T) => boolean): Promise<T>;
  gone(key: string): Promise<unknown>;
  line(type: InformerLine['type']): Promise<InformerLine>;
}

const patienceMs = 40_000;

async function end(child: ChildProcess): Promise<void> {
  if ((child.exitCode ?? child.signalCode) !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** Resolves once its cache is filled. */
export async function startInformer(kubeconfig: string, args: readonly string[]): Promise<Informer> {
  const { 'kube-informer': program } = await ensureAssets({ binaries: ['kube-informer'] });
  const child = spawn(program, [`--kubeconfig=${kubeconfig}`, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: InformerLine[] = [];
  const shown = new Map<string, KubeObject>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as InformerLine;
    lines.push(line);
    const { type, key = '', object } = line;
    if (type === 'delete') shown.delete(key);
    else if (object !== undefined) shown.set(key, object);
  });
  const until = <T>(what: string, look: () => T | undefined): Promise<T> =>
    waitFor(
      { what: `${what} of informer ${args.join(' ')}`, timeoutMs: patienceMs, everyMs: 20 },
      systemClock,
      async () => {
        const seen = look();
        if (seen !== undefined) return seen;
        const last = lines.at(-1);
        throw new Error(`${lines.length} lines, the last one: ${JSON.stringify(last)?.slice(0, 2_000)}`);
      },
    );
  const informer: Informer = {
    lines,
    shown: (key) => shown.get(key),
    shows: <T extends KubeObject>(key: string, so: (object: T) => boolean) =>
      until(`the awaited ${key}`, () => {
        const object = shown.get(key) as T | undefined;
        return object !== undefined && so(object) ? object : undefined;
      }),
    gone: (key) => until(`the end of ${key}`, () => (shown.has(key) ? undefined : true)),
    line: (type) => until(type, () => lines.find((line) => line.type === type)),
    [Symbol.asyncDispose]: () => end(child),
  };
  await informer.line('synced').catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  return informer;
}
