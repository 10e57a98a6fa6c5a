import {
  type Backoff,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Service,
  createBackoff,
  createPoke,
  createStateMachine,
  createTaskGroup,
  jittered,
  limitRepeats,
  scoped,
} from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type NodeOptions, newNode, ownLabels } from './build-node.ts';
import { graceLeftMs } from './conditions.ts';
import { keepLease } from './lease.ts';
import { registerNode } from './register.ts';
import { type ReporterDeps, StatusReporter } from './reporter.ts';

export interface NodeDeps extends Omit<ReporterDeps, 'client' | 'patches'> {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch' | 'replace'>;
  readonly metrics: MetricsRegistry;
}

/**
 * The node's presence in the API: registers the Node, keeps status and Lease. Its start does not wait for the network.
 * Stopping says nothing to the API server: the node is only being restarted.
 */
export interface NodePresence extends Service {
  /** The Node was deleted while this process ran: it stays so until the next start. */
  readonly removed: boolean;
  /** Posts Ready=False, reason NodeShutdown, now; nothing if the Node is not registered. Rejects if that fails. */
  announceShutdown(signal: AbortSignal): Promise<void>;
}

type State =
  | { readonly kind: 'registering' }
  | { readonly kind: 'registered' }
  /** Somebody deleted the Node: it stays so until the next start. */
  | { readonly kind: 'removed' };

/** The kubelet's `nodeStatusUpdateFrequency`: how often the facts are looked at. */
const checkIntervalMs = 10_000;
const backoffOptions = { initialMs: 500, maxMs: 15_000, resetAfterMs: 60_000 };
const moves = { registering: ['registered'], registered: ['removed'], removed: [] } as const;

class Presence implements NodePresence {
  readonly name = 'node';
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #log: Logger;
  readonly #tasks;
  readonly #poke;
  readonly #state;
  readonly #renewals: Counter;
  readonly #patches: Counter;
  #reporter: StatusReporter | undefined;
  #reporting: Promise<void> = Promise.resolve();
  #shuttingDown = false;

  constructor(options: NodeOptions, deps: NodeDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: 60_000 }, deps);
    this.#poke = createPoke(deps.clock);
    const initial: State = { kind: 'registering' };
    this.#state = createStateMachine<State>({ name: 'node', initial, moves }, deps);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('node task failed', { task, error }) },
    );
    this.#renewals = deps.metrics.counter({
      name: 'selvedge_node_lease_renewals_total',
      help: 'Renewals of the Lease, by outcome.',
    });
    this.#patches = deps.metrics.counter({
      name: 'selvedge_node_status_patches_total',
      help: 'Patches of the Node status, by outcome.',
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#tasks.run('status', (inner) => this.#run(inner));
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  get removed(): boolean {
    return this.#state.current.kind === 'removed';
  }

  async announceShutdown(signal: AbortSignal): Promise<void> {
    this.#shuttingDown = true;
    await this.#report(signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { runtime, shown, clock, random } = this.#deps;
    const backoff = createBackoff(backoffOptions, { clock, random });
    const node = await this.#register(backoff, signal);
    this.#reporter = new StatusReporter(this.#options, { ...this.#deps, patches: this.#patches }, node);
    this.#state.move({ kind: 'registered' });
    using lease = scoped(signal);
    this.#tasks.run('lease', () => this.#keepLease(node, lease.signal));
    using health = runtime.onHealth(() => this.#poke.poke());
    using changes = shown.subscribe(() => this.#poke.poke());
    while (this.#state.current.kind === 'registered') await this.#round(backoff, signal);
    lease.abort();
  }

  async #round(backoff: Backoff, signal: AbortSignal): Promise<void> {
    const { random, runtime, clock } = this.#deps;
    const graceLeft = graceLeftMs(runtime.health, clock.now()) ?? Infinity;
    let waitMs = Math.min(jittered(checkIntervalMs, random), graceLeft);
    try {
      await this.#report(signal);
      backoff.up();
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('node status not sent', { error });
      waitMs = 1_000 + backoff.nextDelayMs();
    }
    await this.#poke.wait(waitMs, signal);
  }

  async #register(backoff: Backoff, signal: AbortSignal): Promise<Node> {
    const { clock, readHost } = this.#deps;
    for (;;) {
      try {
        const host = await readHost();
        const options = { node: newNode(this.#options, host), ownLabels: ownLabels(this.#options, host) };
        return await registerNode(options, this.#deps, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn('node not registered yet', { error });
        await clock.sleep(backoff.nextDelayMs(), signal);
      }
    }
  }

  async #keepLease(node: Node, signal: AbortSignal): Promise<void> {
    const { nodeName, leaseDurationSeconds: durationSeconds } = this.#options;
    const options = { nodeName, nodeUid: node.metadata.uid ?? '', durationSeconds };
    const deps = { ...this.#deps, log: this.#log, renewals: this.#renewals };
    await keepLease(options, deps, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Reports go one after another: the loop's, and that of a shutdown. */
  #report(signal: AbortSignal): Promise<void> {
    const next = this.#reporting.catch(() => undefined).then(() => this.#reportOnce(signal));
    this.#reporting = next;
    return next;
  }

  async #reportOnce(signal: AbortSignal): Promise<void> {
    if (this.#reporter === undefined || this.#state.current.kind !== 'registered') return;
    const reported = await this.#reporter.report({ shuttingDown: this.#shuttingDown }, signal);
    if (reported === 'current') return;
    this.#deps.log.error('the Node was deleted; its containers stay until their pods are deleted too', {
      node: this.#options.nodeName,
      hint: 'restart edge-lite to register the node again',
    });
    this.#state.move({ kind: 'removed' });
  }
}

/** Does no I/O before its start. */
export function createNodePresence(options: NodeOptions, deps: NodeDeps): NodePresence {
  return new Presence(options, deps);
}
