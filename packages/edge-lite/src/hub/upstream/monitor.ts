import {
  createBackoff,
  createListeners,
  createPoke,
  createStateMachine,
  createTaskGroup,
  raceAbort,
  scoped,
  type Clock,
  type Logger,
  type Random,
  type Scope,
  type Service,
  type StateMachine,
} from '@selvedge/kit';
import { connectivityOf, judge, type Evidence, type LinkState } from './connectivity-plan.ts';
import type { UpstreamMetrics } from './metrics.ts';
import { isUntrusted, reasonOf } from './reason.ts';
import type { UpstreamTimings } from './timings.ts';
import type { Connectivity } from './types.ts';

export interface MonitorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Pick<UpstreamMetrics, 'connectivity' | 'changes' | 'probes'>;
  /** Resolves with a server that is ready now. */
  readonly probe: (signal: AbortSignal) => Promise<string>;
}

/** Weighs evidence, and gathers it by probes when there is reason to: none as long as all is well. */
export interface Monitor extends Service {
  readonly connectivity: Connectivity;
  /** Called when it is of another kind, or another server's; not for another reason of the same cut. */
  onConnectivity(changed: (now: Connectivity) => void): Disposable;
  hear(evidence: Evidence): void;
  /** Resolves with the connectivity once it is known and no doubt is left, which is soon. Rejects at the stop. */
  settled(signal: AbortSignal): Promise<Connectivity>;
}

const moves = {
  connecting: ['online', 'offline'],
  online: ['online', 'doubted'],
  doubted: ['online', 'offline'],
  offline: ['offline', 'healing'],
  healing: ['offline', 'online'],
} as const;

const kinds: readonly Connectivity['kind'][] = ['connecting', 'online', 'offline'];

const unsettled: ReadonlySet<LinkState['kind']> = new Set(['connecting', 'doubted']);

const serverOf = (now: Connectivity): string | undefined => (now.kind === 'online' ? now.server : undefined);

/** The reason of a cut changes with each probe that fails in another way: worth knowing, and no news. */
const same = (a: Connectivity, b: Connectivity): boolean => a.kind === b.kind && serverOf(a) === serverOf(b);

class LinkMonitor implements Monitor {
  readonly name = 'upstream monitor';
  readonly #timings: UpstreamTimings;
  readonly #deps: MonitorDeps;
  readonly #machine: StateMachine<LinkState>;
  readonly #listeners;
  readonly #backoff;
  readonly #poke;
  readonly #tasks;
  #moved = Promise.withResolvers<void>();
  /** The probe under way. */
  #probing: Scope | undefined;

  constructor(timings: UpstreamTimings, deps: MonitorDeps) {
    const { clock, log } = deps;
    this.#timings = timings;
    this.#deps = deps;
    this.#machine = createStateMachine<LinkState>(
      { name: 'upstream', initial: { kind: 'connecting', sinceMs: clock.now() }, moves },
      { log, onMove: (from, to) => this.#onMove(from, to) },
    );
    this.#listeners = createListeners<Connectivity>(log);
    this.#backoff = createBackoff({ initialMs: 500, maxMs: timings.retryMaxMs, resetAfterMs: 60_000 }, deps);
    this.#poke = createPoke(clock);
    const onFailure = (error: unknown): void => log.error('watch over the upstream ended', { error });
    this.#tasks = createTaskGroup({ name: this.name }, { onFailure });
    this.#gauge('connecting');
  }

  get connectivity(): Connectivity {
    return connectivityOf(this.#machine.current);
  }

  onConnectivity(changed: (now: Connectivity) => void): Disposable {
    return this.#listeners.add(changed);
  }

  async start(): Promise<void> {
    this.#tasks.run('watch', (signal) => this.#watch(signal));
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  hear(evidence: Evidence): void {
    const before = this.#machine.current;
    const after = judge(before, evidence, this.#deps.clock.now());
    if (after !== before) this.#machine.move(after);
  }

  async settled(signal: AbortSignal): Promise<Connectivity> {
    using scope = scoped(signal, this.#tasks.signal);
    while (unsettled.has(this.#machine.current.kind)) await raceAbort(this.#moved.promise, scope.signal);
    return this.connectivity;
  }

  #onMove(from: LinkState, to: LinkState): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers<void>();
    if (to.kind === 'doubted') this.#poke.poke();
    if (to.kind === 'online') {
      this.#backoff.up();
      this.#probing?.abort();
    }
    const [before, now] = [connectivityOf(from), connectivityOf(to)];
    if (same(before, now)) return;
    if (before.kind !== now.kind) this.#tell(now);
    this.#listeners.tell(now);
  }

  #tell(now: Connectivity): void {
    const { log, metrics } = this.#deps;
    metrics.changes.add({ to: now.kind });
    this.#gauge(now.kind);
    if (now.kind === 'online') log.info('the cloud is reached', { server: now.server });
    if (now.kind !== 'offline') return;
    const { reason } = now;
    const hint = 'something on the way is no API server of this cluster: a captive portal, another CA';
    log.warn('the cloud is out of reach', { reason, ...(isUntrusted(reason) ? { hint } : {}) });
  }

  #gauge(holds: Connectivity['kind']): void {
    for (const state of kinds) this.#deps.metrics.connectivity.set(state === holds ? 1 : 0, { state });
  }

  async #watch(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#poke.wait(this.#pauseMs(), signal);
      if (this.#machine.current.kind !== 'online') await this.#probe(signal);
    }
  }

  #pauseMs(): number | undefined {
    switch (this.#machine.current.kind) {
      case 'connecting':
      case 'doubted':
        return 0;
      case 'online':
        return undefined;
      case 'offline':
        return this.#backoff.nextDelayMs();
      case 'healing':
        return this.#timings.steadyMs;
    }
  }

  #patienceMs(): number | undefined {
    const state = this.#machine.current;
    if (state.kind === 'doubted') return state.patienceMs;
    return state.kind === 'connecting' ? this.#timings.patienceMs : undefined;
  }

  /** One probe. When it takes longer than the doubt may last, that is said, and it goes on. */
  async #probe(signal: AbortSignal): Promise<void> {
    using probing = scoped(signal);
    using timer = scoped(signal);
    this.#probing = probing;
    const patienceMs = this.#patienceMs();
    const overdue = async (): Promise<void> => {
      if (patienceMs === undefined) return;
      await this.#deps.clock.sleep(patienceMs, timer.signal);
      this.hear({ kind: 'overdue' });
    };
    const late = overdue().catch(() => undefined);
    const evidence = await this.#ask(probing.signal);
    this.#probing = undefined;
    timer.abort();
    await late;
    signal.throwIfAborted();
    if (evidence !== undefined) this.hear(evidence);
  }

  /** Undefined: the answer is not needed any more. */
  async #ask(signal: AbortSignal): Promise<Evidence | undefined> {
    const { metrics, probe, log } = this.#deps;
    try {
      const server = await probe(signal);
      metrics.probes.add({ outcome: 'ready' });
      return { kind: 'answered', server, by: 'probe' };
    } catch (error) {
      if (signal.aborted) return undefined;
      metrics.probes.add({ outcome: 'failed' });
      log.debug('no API server is ready', { error });
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }
}

export function createMonitor(timings: UpstreamTimings, deps: MonitorDeps): Monitor {
  return new LinkMonitor(timings, deps);
}
