import {
  BoundedMap,
  type Clock,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
} from '@selvedge/kit';
import {
  type KubeMetrics,
  type ObjectReader,
  compareResourceVersions,
  createController,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { TunnelServer } from '@selvedge/tunnel/server';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { entriesOf, sameEntries, shownOf } from './entries.ts';
import { OpenSessions } from './open-sessions.ts';
import type { SessionWriter } from './writer.ts';

export interface ReporterOptions {
  readonly server: string;
  /** Changes of one node's sessions within this time are one write, in milliseconds. Default 500. */
  readonly gatherMs?: number;
}

export interface ReporterDeps {
  /** Without sessions yet. */
  readonly tunnel: Pick<TunnelServer, 'onChange'>;
  readonly writer: SessionWriter;
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly nodes: ObjectReader<Node>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

const defaultGatherMs = 500;
const workers = 4;
/** Nodes whose EdgeNode was written and may not be seen as written yet. */
const maxWritten = 10_000;

class Reporter {
  readonly #server: string;
  readonly #deps: ReporterDeps;
  readonly sessions = new OpenSessions();
  readonly #written = new BoundedMap<string, EdgeNodeObject>({ capacity: maxWritten });

  constructor(server: string, deps: ReporterDeps) {
    this.#server = server;
    this.#deps = deps;
  }

  /** Nodes with a session here, or whose EdgeNode says so. */
  *keys(): Iterable<string> {
    yield* this.sessions.nodes();
    for (const edgeNode of this.#deps.edgeNodes.values()) {
      if (shownOf(this.#server, edgeNode).length > 0) yield edgeNode.metadata.name ?? '';
    }
  }

  async reconcile(node: string, signal: AbortSignal): Promise<void> {
    const entries = entriesOf(this.#server, this.sessions.of(node));
    const known = this.#newest(node) ?? (await this.#create(node, entries.length > 0, signal));
    if (known === undefined || sameEntries(entries, shownOf(this.#server, known))) return;
    try {
      const shown = { node, server: this.#server, entries };
      this.#written.set(node, await this.#deps.writer.show(shown, signal));
    } catch (error) {
      this.#written.delete(node);
      if (!hasCode(error, 'NotFound')) throw error;
    }
  }

  /** The EdgeNode is gone. */
  forget(node: string): void {
    this.#written.delete(node);
  }

  /** What this server wrote last may be newer than what the watch has brought. */
  #newest(node: string): EdgeNodeObject | undefined {
    const seen = this.#deps.edgeNodes.get(node);
    const written = this.#written.get(node);
    if (written === undefined || seen === undefined) return written ?? seen;
    const [seenAt = '', writtenAt = ''] = [seen, written].map(({ metadata }) => metadata.resourceVersion);
    if (compareResourceVersions(seenAt, writtenAt) < 0) return written;
    this.#written.delete(node);
    return seen;
  }

  /** For a node that has sessions, and a Node: else anybody with a certificate could fill the cluster with objects. */
  async #create(node: string, isNeeded: boolean, signal: AbortSignal): Promise<EdgeNodeObject | undefined> {
    if (!isNeeded || this.#deps.nodes.get(node) === undefined) return undefined;
    try {
      const created = await this.#deps.writer.create(node, signal);
      this.#deps.log.info('EdgeNode created', { node });
      return created;
    } catch (error) {
      // The watch will bring it.
      if (hasCode(error, 'AlreadyExists')) return undefined;
      throw error;
    }
  }
}

/** Shows the sessions of this server in `EdgeNode.status.sessions`; only what changed is written. */
export function createSessionReporter(options: ReporterOptions, deps: ReporterDeps): Service {
  const { tunnel, edgeNodes, nodes, clock, random, log, kubeMetrics: metrics } = deps;
  const reporter = new Reporter(options.server, deps);
  const controller = createController(
    { name: 'sessions', workers },
    {
      reconcile: (node, signal) => reporter.reconcile(node, signal),
      keys: () => reporter.keys(),
      clock,
      random,
      log,
      metrics,
    },
  );
  const { sessions } = reporter;
  const following = createSubscriptions({ name: 'session subscriptions' }, () => [
    tunnel.onChange((change) => {
      sessions.apply(change);
      controller.enqueue(change.session.peer, options.gatherMs ?? defaultGatherMs);
    }),
    nodes.subscribe(({ kind, object }) => {
      const { name = '' } = object.metadata;
      if (kind === 'added' && sessions.has(name)) controller.enqueue(name);
    }),
    edgeNodes.subscribe(({ kind, object }) => {
      const { name = '' } = object.metadata;
      if (kind === 'deleted') reporter.forget(name);
      if (sessions.has(name) || shownOf(options.server, object).length > 0) controller.enqueue(name);
    }),
  ]);
  return createServiceGroup({ name: 'session reporter', services: [controller, following] }, { log });
}
