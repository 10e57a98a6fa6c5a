import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { processMark } from '../names.ts';
import { writeAtomically } from '../state/files.ts';
import { waitFor } from '../wait.ts';
import { type ProcessIdentity, identify, isRunning, signalProcess } from './proc.ts';

/** A long-running program of the bed. */
export interface DaemonSpec {
  /** Unique within the bed; names its log. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** The network namespace that it runs in. */
  readonly namespace: string;
  /** The value of its process mark. */
  readonly mark: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What else, once changed, asks for a restart: the text of its configuration file for instance. */
  readonly config?: string;
}

/** What is remembered of a daemon between two invocations. */
export interface DaemonRecord extends ProcessIdentity {
  readonly name: string;
  /** Tells a daemon that was started from another description. */
  readonly fingerprint: string;
}

/** The daemons of a bed. They outlive this process. */
export interface Daemons {
  /** Starts the daemon unless it runs with this very description; a changed one is restarted. True if it was started. */
  ensure(spec: DaemonSpec): Promise<boolean>;
  /** SIGTERM, and SIGKILL after `graceMs` (default 10 s). Resolves once it is gone. */
  stop(name: string, graceMs?: number): Promise<void>;
  signal(name: string, signal: NodeJS.Signals): Promise<void>;
  running(name: string): Promise<DaemonRecord | undefined>;
  /** That the daemon was started and has ended by itself, with the end of its log; undefined otherwise. */
  failure(name: string): Promise<string | undefined>;
  list(): Promise<readonly (DaemonRecord & { readonly running: boolean })[]>;
  logFile(name: string): string;
}

export interface DaemonsOptions {
  readonly runFolder: string;
  readonly logFolder: string;
  /** For the daemons' temporary files. Default: that of this process. */
  readonly temporaryFolder?: string;
}

/** How much of a log is quoted, in characters. */
const maxQuoted = 500;

function fingerprintOf(spec: DaemonSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
}

function parseRecord(text: string): DaemonRecord | undefined {
  const value = JSON.parse(text) as Partial<Record<keyof DaemonRecord, unknown>>;
  const { name, pid, startTicks, fingerprint } = value;
  if (typeof name !== 'string' || typeof pid !== 'number') return undefined;
  if (typeof startTicks !== 'string' || typeof fingerprint !== 'string') return undefined;
  return { name, pid, startTicks, fingerprint };
}

/** Starts the program in its namespace and in a session of its own, its output appended to `logFile`. */
async function launch(spec: DaemonSpec, logFile: string): Promise<ProcessIdentity> {
  await using log = await open(logFile, 'a');
  // Not `ip netns exec`: it mounts a fresh /sys, which hides the cgroups.
  const child = spawn('nsenter', [`--net=/var/run/netns/${spec.namespace}`, '--', ...spec.argv], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...spec.env, [processMark]: spec.mark },
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
  });
  const spawned = new Promise<void>((resolve) => {
    child.once('spawn', resolve);
  });
  await Promise.race([spawned, failed]);
  child.unref();
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (identity !== undefined) return identity;
  throw new SelvedgeError(`${spec.name} ended at once`, { code: 'Internal', hint: `see ${logFile}` });
}

export function createDaemons(options: DaemonsOptions, { clock }: { readonly clock: Clock }): Daemons {
  const { temporaryFolder } = options;
  const temporary = temporaryFolder === undefined ? {} : { TMPDIR: temporaryFolder };
  const recordFile = (name: string): string => join(options.runFolder, `${name}.json`);
  const logFile = (name: string): string => join(options.logFolder, `${name}.log`);
  const read = async (name: string): Promise<DaemonRecord | undefined> => {
    const text = await readFile(recordFile(name), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : parseRecord(text);
  };
  const running = async (name: string): Promise<DaemonRecord | undefined> => {
    const record = await read(name);
    return record !== undefined && (await isRunning(record)) ? record : undefined;
  };
  const gone = async (record: DaemonRecord, timeoutMs: number): Promise<void> => {
    const wait = {
      what: `end of ${record.name}`,
      timeoutMs,
      everyMs: 10,
      hint: `see ${logFile(record.name)}`,
    };
    await waitFor(wait, clock, async () => !(await isRunning(record)));
  };
  const stop = async (name: string, graceMs = 10_000): Promise<void> => {
    const record = await running(name);
    if (record !== undefined) {
      await signalProcess(record, 'SIGTERM');
      await gone(record, graceMs).catch(() => signalProcess(record, 'SIGKILL'));
      await gone(record, 10_000);
    }
    await rm(recordFile(name), { force: true });
  };
  return {
    logFile,
    running,
    stop,
    async ensure(spec) {
      const fingerprint = fingerprintOf(spec);
      if ((await running(spec.name))?.fingerprint === fingerprint) return false;
      await stop(spec.name);
      if (temporaryFolder !== undefined) await mkdir(temporaryFolder, { recursive: true });
      await mkdir(options.runFolder, { recursive: true });
      await mkdir(options.logFolder, { recursive: true });
      const record: DaemonRecord = {
        name: spec.name,
        ...(await launch({ ...spec, env: { ...temporary, ...spec.env } }, logFile(spec.name))),
        fingerprint,
      };
      await writeAtomically(recordFile(spec.name), JSON.stringify(record));
      return true;
    },
    async failure(name) {
      if ((await read(name)) === undefined || (await running(name)) !== undefined) return undefined;
      const log = await readFile(logFile(name), 'utf8').catch(() => '');
      return `${name} ended; ${logFile(name)} ends with: ${log.trimEnd().slice(-maxQuoted)}`;
    },
    async signal(name, signal) {
      const record = await running(name);
      if (record !== undefined) await signalProcess(record, signal);
    },
    async list() {
      const files = await readdir(options.runFolder).catch(() => []);
      const names = files
        .filter((file) => file.endsWith('.json'))
        .map((file) => file.slice(0, -'.json'.length));
      const records = (await Promise.all(names.toSorted().map(read))).filter(
        (record) => record !== undefined,
      );
      return Promise.all(records.map(async (record) => ({ ...record, running: await isRunning(record) })));
    },
  };
}
