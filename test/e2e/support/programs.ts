import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type CommandResult, ensureAssets, runUnchecked } from '@selvedge/hack/setup';
import { waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** Looks until there is something to see; 90 s, unless it is told otherwise. */
export const until = <T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> => waitFor({ what, timeoutMs }, systemClock, look);

/** A program that goes on, and what it has said so far. */
export interface Talk {
  readonly child: ChildProcessWithoutNullStreams;
  /** On stdout. */
  readonly said: string;
  /** On stderr. */
  readonly complaint: string;
  /** The exit code, or that it was killed. Resolves once all that it said is there. */
  readonly ended: Promise<number | null>;
  /** Resolves as soon as the pattern is found in what it has said. */
  hears(pattern: RegExp): Promise<RegExpExecArray>;
}

class LiveTalk implements Talk {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  said = '';
  complaint = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaint += text;
    });
    // Who writes to a program that has ended sees that by its exit code.
    child.stdin.on('error', () => undefined);
  }

  hears(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`words like ${pattern.source}`, async () => {
      const found = pattern.exec(this.said);
      if (found !== null) return found;
      throw new Error(`it said ${this.said.slice(-500)}${this.complaint.slice(-500)}`);
    });
  }
}

/** kubectl on the machine of the tests, as an administrator of a bed. What goes on is ended after each test. */
export interface KubectlPrograms {
  argv(...args: readonly string[]): [string, ...string[]];
  /** Resolves whatever it ends with. A request that is answered at once has 20 s. */
  run(args: readonly string[], input?: string | Uint8Array): Promise<CommandResult>;
  /** A program whose output nobody has asked for yet. */
  spawn(argv: readonly [string, ...string[]]): ChildProcessWithoutNullStreams;
  talk(argv: readonly [string, ...string[]]): Talk;
  /** The port on this machine that leads to the other one. */
  forward(target: string, port: number): Promise<number>;
}

export interface KubectlProgramsOptions {
  readonly kubeconfig: () => string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Registers the hooks that find kubectl and end what is left of it. Call it outside of tests. */
export function useKubectl({ kubeconfig, env = {} }: KubectlProgramsOptions): KubectlPrograms {
  const children: ChildProcessWithoutNullStreams[] = [];
  let program = '';
  beforeAll(async () => {
    ({ kubectl: program } = await ensureAssets({ binaries: ['kubectl'] }));
  });
  const endAll = (): void => {
    for (const child of children.splice(0)) child.kill();
  };
  afterEach(endAll);
  afterAll(endAll);

  const argv: KubectlPrograms['argv'] = (...args) => [program, `--kubeconfig=${kubeconfig()}`, ...args];
  const start: KubectlPrograms['spawn'] = ([file, ...args]) => {
    const child = spawn(file, args, { env: { ...process.env, ...env } });
    children.push(child);
    return child;
  };
  const talk: KubectlPrograms['talk'] = (words) => new LiveTalk(start(words));
  return {
    argv,
    spawn: start,
    talk,
    run: (args, input) =>
      runUnchecked({
        argv: argv('--request-timeout=20s', ...args),
        env,
        ...(input === undefined ? {} : { input }),
      }),
    async forward(target, port) {
      const forwarding = talk(argv('port-forward', target, `:${port}`));
      return Number((await forwarding.hears(/^Forwarding from 127\.0\.0\.1:(\d+)/))[1]);
    },
  };
}
