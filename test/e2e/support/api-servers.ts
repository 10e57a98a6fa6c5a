import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@selvedge/bed';
import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import {
  type Clock,
  SelvedgeError,
  type TaskGroup,
  createTaskGroup,
  messageOf,
  systemClock,
} from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';

/** Where the API server of a machine is, whatever is in front of it. */
const serverOf = ({ address }: ClusterMachine): string => `https://${address}:6443`;

/** The machines that have one. */
export const controlPlanesOf = ({ machines }: Cluster): readonly ClusterMachine[] =>
  machines.filter(({ role }) => role === 'control-plane');

/** kubectl, of the API server of that machine. */
export async function askThrough(
  { kubectl }: Cluster,
  machine: ClusterMachine,
  args: readonly string[],
): Promise<string> {
  return (await kubectl([`--server=${serverOf(machine)}`, ...args])).stdout;
}

const everyMs = 200;
/** A busy host takes its time; who is away refuses at once. */
const patienceMs = 60_000;

/**
 * Asks all API servers of a cluster, each by its own address, over and over. When it cannot go on, who disposes of it is thrown
 * why.
 */
export interface ServersWatch extends AsyncDisposable {
  /** How often at least one has answered. */
  readonly answered: number;
  /** What they said when none did. */
  readonly silences: readonly string[];
}

type Asked = Pick<KubeClient, 'get' | 'close'>;

const isSilence = (error: unknown): error is AggregateError =>
  error instanceof AggregateError && error.errors.every((one) => one instanceof SelvedgeError);

class LoopingWatch implements ServersWatch {
  readonly #clients: readonly Asked[];
  readonly #clock: Clock;
  readonly #tasks: TaskGroup;
  readonly #failures: unknown[] = [];
  answered = 0;
  readonly silences: string[] = [];

  constructor(clients: readonly Asked[], clock: Clock) {
    this.#clients = clients;
    this.#clock = clock;
    this.#tasks = createTaskGroup({ name: 'watch' }, { onFailure: (error) => this.#failures.push(error) });
    this.#tasks.run('ask', (signal) => this.#run(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.stop();
    await Promise.all(this.#clients.map((client) => client.close()));
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #run(signal: AbortSignal): Promise<void> {
    const at = { name: 'kube-system' };
    const ask = (client: Asked): Promise<unknown> =>
      client.get(resources.namespaces, at, { signal, timeoutMs: patienceMs });
    for (;;) {
      try {
        await Promise.any(this.#clients.map(ask));
        this.answered += 1;
      } catch (error) {
        signal.throwIfAborted();
        if (!isSilence(error)) throw error;
        this.silences.push(error.errors.map(messageOf).join('; '));
      }
      await this.#clock.sleep(everyMs, signal);
    }
  }
}

/** Begins to ask API servers, one behind each client; closes the clients in the end. */
export const watchClients = (clients: readonly Asked[], clock: Clock): ServersWatch =>
  new LoopingWatch(clients, clock);

/** Begins to ask those of a cluster, as its administrator. */
export async function watchServers(cluster: Cluster): Promise<ServersWatch> {
  const folder = await mkdtemp(join(tmpdir(), 'api-servers-'));
  try {
    const text = await readFile(cluster.kubeconfig, 'utf8');
    const clients = controlPlanesOf(cluster).map(async (machine) => {
      const file = join(folder, machine.name);
      await writeFile(file, text.replace(cluster.server, serverOf(machine)), { mode: 0o600 });
      return connect(file, 'selvedge-e2e');
    });
    return watchClients(await Promise.all(clients), systemClock);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const aside = '/etc/kubernetes/kube-apiserver.yaml';

/** Ends an API server: its kubelet has no manifest of it. Source: Kubernetes, "Create static Pods". */
export const endServer = ({ machine }: ClusterMachine): Promise<unknown> =>
  machine.exec(['mv', manifest, aside]);

export const startServer = ({ machine }: ClusterMachine): Promise<unknown> =>
  machine.exec(['mv', aside, manifest]);
