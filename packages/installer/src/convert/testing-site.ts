import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, SelvedgeError, scoped, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { ClusterClient } from '../cluster/index.ts';
import { type TestCluster, createTestCluster } from '../cluster/testing-cluster.ts';
import type { CommandContext, Plan, Progress } from '../command/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import type { Host, HostCommand, Hosts } from '../host/index.ts';
import type { Layout } from '../layouts/index.ts';
import { type CloudUndo, type RevertOptions, type RevertResult, revertWith } from '../revert/index.ts';
import { type Step, hashOf } from '../steps/index.ts';
import { type TestDisk, createTestDisk } from '../steps/testing-disk.ts';
import { convertWith } from './convert.ts';
import type { CloudWork, NodeWork } from './engine.ts';
import { type TestUnits, createTestUnits } from './testing-units.ts';
import type { ConvertOptions, ConvertResult } from './types.ts';

/** What happens at one of the commands that are run on a machine. */
export interface Mishap {
  /** Which of them, counted from 0, or the first that is meant. */
  readonly at: number | ((command: HostCommand) => boolean);
  readonly when: 'before' | 'after';
  /** `stop`: a person presses Ctrl-C. `loss`: the way to the machine is lost, until it is opened anew. */
  readonly what: 'stop' | 'loss';
}

/** What else happens. */
export interface Meanwhile {
  readonly mishap?: Mishap;
  /** While the person reads the plan. */
  readonly onAgree?: () => Promise<unknown>;
  /** The machine is entered through its kubelet. */
  readonly viaKubelet?: boolean;
}

export interface TestSiteOptions<C extends ClusterClient> {
  /** `isConverted`: its kubelet has read that it shall talk to the hub. `hasHub`: edge-lite runs. */
  readonly clusterOf: (isConverted: () => Promise<boolean>, hasHub: () => Promise<boolean>) => C;
  /** What is sent to the machine. Default: nothing. */
  readonly program?: Uint8Array | undefined;
  /** Default: one whose short waits are shorter. */
  readonly clock?: Clock | undefined;
  /** How the cloud's part was done, which decides whether logs must be readable. Default `unit`. */
  readonly mode?: 'unit' | 'deployment';
}

/** One node, its machine and its cluster, in small. */
export interface TestSite<C extends ClusterClient = TestCluster> extends AsyncDisposable {
  readonly disk: TestDisk;
  /** Where things of ours are kept on the machine. */
  readonly folder: string;
  readonly cluster: C;
  /** What was agreed to. */
  readonly plans: Plan[];
  convert(options?: Partial<ConvertOptions>, meanwhile?: Meanwhile): Promise<ConvertResult>;
  revert(options?: RevertOptions, mishap?: Mishap): Promise<RevertResult>;
  /** Commands that the last of them ran. */
  readonly commands: number;
  /** Its kubelet has read that it shall talk to the hub. */
  isConverted(): Promise<boolean>;
  /** From its next start on, its kubelet reads another file than the one that is edited. */
  ignoreEdits(): Promise<void>;
  /** Whether anything is kept on the machine beside its disk. */
  readJournal(): Promise<string | undefined>;
  writeJournal(text: string): Promise<void>;
}

const silent: Progress = { task: (_title, work) => work(silent), note: () => undefined };
/** Waits are short: nobody has to wait for a machine that is a folder. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms <= 500 ? 5 : ms, signal),
};

const uploadOf = (path: string, program: Uint8Array): Step => ({
  kind: 'upload',
  path,
  mode: 0o700,
  source: 'program',
  sha256: hashOf(program),
});

function stepsIn(folder: string, program: Uint8Array | undefined): readonly Step[] {
  const etc = join(folder, 'etc');
  return [
    { kind: 'times', paths: [etc] },
    { kind: 'restart', name: 'kubelet.service', on: 'undo' },
    { kind: 'folder', path: join(etc, 'selvedge'), mode: 0o700 },
    { kind: 'file', path: join(etc, 'selvedge/edge-lite.yaml'), mode: 0o600, content: 'node: {}\n' },
    ...(program === undefined ? [] : [uploadOf(join(etc, 'selvedge/program'), program)]),
    { kind: 'unit', name: 'edge-lite.service' },
    { kind: 'file', path: join(etc, 'kubelet.conf'), mode: 0o600, content: 'server: hub\n' },
    { kind: 'restart', name: 'kubelet.service', on: 'apply' },
  ];
}

// What the engine asks of them, and no more.
const facts = { arch: 'x86_64' } as NodeFacts;
const layout = {
  kind: 'kubeadm',
  name: 'kubeadm',
  role: 'node',
  obstacles: [],
  converted: false,
  nodeName: 'till-1',
  kubelet: { unit: 'kubelet.service', kubeconfig: '/etc/kubelet.conf', change: { kind: 'edit' } },
  kubeProxy: { kind: 'daemonset' },
} as unknown as Layout;

const options: ConvertOptions = {
  nodes: [{ name: 'till-1' }],
  cloud: { tunnelServers: [{ host: 'tunnel', port: 443 }], mode: 'unit', dns: false, values: {} },
  // Only what hangs takes so long.
  timeoutMs: 3_600_000,
};

/** The containers of this machine are none of the test's. */
const isLook = ({ argv }: HostCommand): boolean => argv.some((word) => word.includes('kubepods'));
const noContainers = { exitCode: 0, stdout: Buffer.from('--\n'), stderr: Buffer.alloc(0) };

/** What holds the machine ends after all else: a mishap after it is none. */
const isHold = ({ argv }: HostCommand): boolean => argv.some((word) => word.includes('flock -w "$3"'));

/** As behind SSH, where what is ended here goes on there for a while. Some places of it are those of the test. */
const asFar = (command: HostCommand, places: Readonly<Record<string, string>>): HostCommand => ({
  ...command,
  argv: ['setsid', '--wait', ...command.argv.map((word) => places[word] ?? word)],
});

interface Machine {
  readonly disk: TestDisk;
  readonly units: TestUnits;
}

interface Ways {
  readonly hosts: Hosts;
  readonly signal: AbortSignal;
  readonly count: () => number;
}

/** The machine with a mishap on its way. What runs when the way is lost is lost with it. */
function withMishap({ disk, units }: Machine, mishap: Mishap | undefined, viaKubelet = false): Ways {
  const { host, folder } = disk;
  const stop = new AbortController();
  let commands = 0;
  let way = scoped();
  const happen = (): never => {
    if (mishap?.what === 'stop') {
      const reason = new SelvedgeError('stopped', { code: 'Aborted' });
      stop.abort(reason);
      throw reason;
    }
    const loss = new SelvedgeError('the machine is lost', { code: 'Unavailable' });
    way.abort(loss);
    throw loss;
  };
  let isOver = false;
  const isAt = (command: HostCommand, number: number): boolean => {
    if (isOver || mishap === undefined) return false;
    isOver = typeof mishap.at === 'number' ? mishap.at === number : mishap.at(command);
    return isOver;
  };
  const run: Host['run'] = async (command, signal) => {
    way.signal.throwIfAborted();
    using scope = scoped(signal, way.signal);
    const number = commands;
    const counts = !(mishap?.when === 'after' && isHold(command));
    if (counts) commands += 1;
    const isNow = counts && isAt(command, number);
    if (isNow && mishap?.when === 'before') return happen();
    const result = isLook(command)
      ? noContainers
      : await host.run(asFar(command, { '/etc': join(folder, 'etc'), '/proc': units.proc }), scope.signal);
    return isNow ? happen() : result;
  };
  const open = (): Promise<Host> => {
    way = scoped();
    return Promise.resolve({ name: host.name, run, [Symbol.asyncDispose]: () => Promise.resolve() });
  };
  return { hosts: { open, viaKubelet }, signal: stop.signal, count: () => commands };
}

/** The cloud's part is done already; nothing of its plan is looked at but what is shown. */
const cloudOf = (mode: 'unit' | 'deployment'): CloudWork => ({
  plan: () => Promise.resolve({ parts: [], warnings: [] } as never),
  apply: () =>
    Promise.resolve({ mode, changed: 0, tunnel: { servers: [], ca: undefined }, instructions: [] }),
});
const cloudUndo: CloudUndo = {
  plan: () => Promise.resolve({ parts: [], warnings: [], isDone: true } as never),
  undo: () => Promise.resolve([]),
};

const nodeWork = (disk: TestDisk, program: Uint8Array | undefined): NodeWork => ({
  async gather() {
    const text = await readFile(join(disk.folder, 'etc/kubelet.conf'), 'utf8');
    return { ...facts, files: { kubeconfig: { text } } } as unknown as NodeFacts;
  },
  recognize: ({ files }) => {
    const converted = files['kubeconfig']?.text === 'server: hub\n';
    return { kind: 'known', layout: { ...layout, converted } };
  },
  steps: () => Promise.resolve(stepsIn(disk.folder, program)),
  source: () => Promise.resolve(program ?? Buffer.alloc(0)),
});

/** A machine that is a folder with units in small, and a cluster that looks at it. */
export async function createTestSiteOf<C extends ClusterClient>({
  clusterOf,
  mode = 'unit',
  program,
  clock = hastyClock,
}: TestSiteOptions<C>): Promise<TestSite<C>> {
  const disk = await createTestDisk();
  const folder = join(disk.folder, '../home/installer');
  await mkdir(join(disk.folder, '../home'));
  const units = await createTestUnits(disk);
  const cluster = clusterOf(units.isConverted, units.hasHub);
  const plans: Plan[] = [];
  let [commands, runs] = [0, 0];
  type Deps = CommandContext & { hosts: Hosts; cluster: ClusterClient; folder: string };
  const depsOf = ({ hosts, signal }: Ways, onAgree?: Meanwhile['onAgree']): Deps => ({
    progress: silent,
    agree: async (plan) => {
      plans.push(plan);
      await onAgree?.();
      return true;
    },
    clock,
    random: seededRandom((runs += 1)),
    signal,
    version: '1.0.0',
    hosts,
    cluster,
    folder,
  });
  const counted = async <T>(ways: Ways, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      commands = ways.count();
    }
  };
  return {
    disk,
    folder,
    cluster,
    plans,
    isConverted: units.isConverted,
    ignoreEdits: units.ignoreEdits,
    get commands() {
      return commands;
    },
    convert(more, { mishap, onAgree, viaKubelet = false } = {}) {
      const ways = withMishap({ disk, units }, mishap, viaKubelet);
      const deps = { ...depsOf(ways, onAgree), cloud: cloudOf(mode), nodes: nodeWork(disk, program) };
      return counted(ways, convertWith({ ...options, ...more }, deps));
    },
    revert(more = {}, mishap) {
      const ways = withMishap({ disk, units }, mishap);
      return counted(ways, revertWith(more, { ...depsOf(ways), cloud: cloudUndo }));
    },
    readJournal: () => readFile(join(folder, 'journal'), 'utf8').catch(() => undefined),
    writeJournal: (text) => writeFile(join(folder, 'journal'), text),
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  };
}

/** A cluster of the test's own looks at the machine. `labels`: of the Node `till-1`. */
export const createTestSite = (
  labels: Readonly<Record<string, string>> = {},
  more: Pick<TestSiteOptions<TestCluster>, 'program' | 'clock'> = {},
): Promise<TestSite> =>
  createTestSiteOf({
    ...more,
    clusterOf: (isConverted, hasHub) => createTestCluster([{ name: 'till-1', labels, isConverted, hasHub }]),
  });
