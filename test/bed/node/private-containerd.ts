import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { run } from '@selvedge/hack/setup';
import { type Clock, type Service, SelvedgeError } from '@selvedge/kit';
import type { ContainerdVersion } from '../description.ts';
import { removeCgroup } from '../host/cgroups.ts';
import { type Image, imageRefs } from '../images/index.ts';
import { runName } from '../run/run.ts';
import { waitFor } from '../wait.ts';
import { renderConflist } from './cni.ts';
import { renderContainerdConfig } from './containerd.ts';

export interface PrivateContainerdOptions {
  readonly version: ContainerdVersion;
  /** Absolute paths. The shim lies beside the daemon. */
  readonly programs: { readonly containerd: string; readonly ctr: string; readonly runc: string };
  /** Default: Debian's containernetworking-plugins. */
  readonly cniBinaries?: string;
  /** Imported before it is ready; without the pause image no sandbox starts. */
  readonly images: readonly Image[];
  /** The host's network instead of its own: whoever runs on the host reaches its streaming server. Default: false. */
  readonly hostNetwork?: boolean;
  /** How long the daemon may take to answer, in milliseconds. Default 30,000. */
  readonly startTimeoutMs?: number;
}

/**
 * One containerd in network, mount and process namespaces of its own (or the host's network), with a pod network. It cannot outlive its
 * owner: the first process in there ends, and all others with it, when a pipe from the owner breaks. What a killed
 * owner leaves, a folder and empty cgroups, is removed with its run.
 */
export interface PrivateContainerd extends Service {
  /** `unix://…`; throws before `start`. */
  readonly endpoint: string;
  /** For `cgroup_parent`: removed at the end. Throws before `start`. */
  readonly cgroup: string;
  /** Runs containerd's own client, of this version, on what the CRI made. */
  ctr(args: readonly string[], signal?: AbortSignal): Promise<void>;
  /** SIGKILLs the daemon. Shims and containers go on. */
  kill(): void;
  /** Starts the daemon again. Resolves once it answers. */
  revive(signal?: AbortSignal): Promise<void>;
}

/**
 * The first process: takes words from its owner until the pipe ends. Folders that two daemons would share are its
 * own; so is the loopback interface.
 */
const firstProcess = `
  for folder in /run/containerd /run/runc /var/lib/cni; do
    mkdir -p $folder && mount -t tmpfs tmpfs $folder || exit 1
  done
  ip link set lo up
  while read -r word; do
    case $word in
      start) "$@" 3<&- & daemon=$! ;;
      kill) kill -KILL $daemon; wait $daemon ;;
    esac
  done`;

async function writeConfiguration(folder: string, options: PrivateContainerdOptions): Promise<void> {
  const cni = join(folder, 'cni');
  await mkdir(cni);
  await mkdir(join(folder, 'registries'));
  const addresses = join(folder, 'addresses');
  const conflist = renderConflist({ name: 'pods', podCidr: '10.88.0.0/24', addresses });
  await writeFile(join(cni, '10-pods.conflist'), conflist);
  const config = renderContainerdConfig({
    version: options.version,
    root: join(folder, 'root'),
    state: join(folder, 'state'),
    socket: join(folder, 'socket'),
    runc: options.programs.runc,
    cniBinaries: options.cniBinaries ?? '/usr/lib/cni',
    cniConfiguration: cni,
    registries: join(folder, 'registries'),
    pauseImage: imageRefs.pause,
  });
  await writeFile(join(folder, 'config.toml'), config);
}

class NamespacedContainerd implements PrivateContainerd {
  readonly name: string;
  readonly #options: PrivateContainerdOptions;
  readonly #clock: Clock;
  #folder: string | undefined;
  #first: { readonly process: ChildProcess; readonly words: Writable } | undefined;

  constructor(options: PrivateContainerdOptions, clock: Clock) {
    this.name = `containerd ${options.version}`;
    this.#options = options;
    this.#clock = clock;
  }

  get endpoint(): string {
    return `unix://${this.#path('socket')}`;
  }

  get cgroup(): string {
    return `/${this.#path('').split('/').at(-1)}`;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), `${runName()}.containerd-`));
    await writeConfiguration(this.#folder, this.#options);
    await this.#launch();
    await this.revive(signal);
    for (const { tar } of this.#options.images) {
      await this.ctr(['images', 'import', tar], signal);
    }
  }

  async ctr(args: readonly string[], signal?: AbortSignal): Promise<void> {
    const { ctr } = this.#options.programs;
    const argv = [ctr, '--address', this.#path('socket'), '--namespace', 'k8s.io', ...args] as const;
    await run({ argv, signal });
  }

  kill(): void {
    this.#first?.words.write('kill\n');
  }

  async revive(signal?: AbortSignal): Promise<void> {
    this.#first?.words.write('start\n');
    const timeoutMs = this.#options.startTimeoutMs ?? 30_000;
    const wait = { what: `answer of ${this.name}`, timeoutMs, signal };
    try {
      await waitFor(wait, this.#clock, async (attempt) => {
        await this.ctr(['version'], attempt);
        return true;
      });
    } catch (cause) {
      const log = await readFile(this.#path('log'), 'utf8');
      throw new SelvedgeError(`${this.name} does not answer: ${log.slice(-2_000)}`, {
        code: 'Unavailable',
        cause,
      });
    }
  }

  async stop(): Promise<void> {
    const [first, folder] = [this.#first, this.#folder];
    if (first !== undefined && first.process.exitCode === null) {
      const ended = once(first.process, 'exit');
      first.words.end();
      await ended;
    }
    if (folder === undefined) return;
    await removeCgroup(this.cgroup.slice(1), this.#clock);
    await rm(folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  #path(name: string): string {
    if (this.#folder !== undefined) return join(this.#folder, name);
    throw new SelvedgeError(`${this.name} has not been started`, { code: 'Internal' });
  }

  async #launch(): Promise<void> {
    const { containerd, runc } = this.#options.programs;
    const path = [dirname(containerd), dirname(runc), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
    const daemon = [containerd, '--config', this.#path('config.toml')];
    const network = this.#options.hostNetwork === true ? [] : ['--net'];
    const namespaces = [...network, '--mount', '--pid', '--fork', '--mount-proc', '--propagation', 'private'];
    await using log = await open(this.#path('log'), 'a');
    const child = spawn('unshare', [...namespaces, '--', 'sh', '-c', firstProcess, 'sh', ...daemon], {
      stdio: ['pipe', log.fd, log.fd],
      env: { PATH: path.join(':') },
      detached: true,
    });
    await once(child, 'spawn');
    if (child.stdin === null) throw new SelvedgeError('there is no pipe', { code: 'Internal' });
    child.stdin.on('error', () => undefined);
    this.#first = { process: child, words: child.stdin };
  }
}

export function createPrivateContainerd(
  options: PrivateContainerdOptions,
  deps: { readonly clock: Clock },
): PrivateContainerd {
  return new NamespacedContainerd(options, deps.clock);
}
