import { SelvedgeError, hasCode, scoped, type Clock, type Scope } from '@selvedge/kit';
import { timeText } from '../answers/index.ts';
import type { Monitor } from './monitor.ts';
import type { UpstreamMetrics } from './metrics.ts';
import { reasonOf } from './reason.ts';
import type { UpstreamTimings } from './timings.ts';
import type { Connectivity } from './types.ts';

export interface GateDeps {
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly metrics: Pick<UpstreamMetrics, 'requests'>;
  /** `host:port` of the server in use. */
  readonly server: () => string;
}

interface Stays {
  once(event: 'close', listener: () => void): unknown;
}

/** One request, dial or upgrade. */
export interface Passage<T> {
  /** The kind of caller, for the metrics. */
  readonly caller: string;
  readonly signal: AbortSignal;
  /** Whether a late answer means anything. */
  readonly prompt: boolean;
  /** Its signal ends the work, and what comes of it. */
  readonly work: (signal: AbortSignal) => Promise<T>;
  readonly statusOf: (answer: T) => number | undefined;
  /** What goes on after the answer. */
  readonly stays: (answer: T) => Stays | undefined;
}

type Offline = Extract<Connectivity, { kind: 'offline' }>;

function offlineError({ sinceMs, reason }: Offline, cause?: unknown): SelvedgeError {
  const message = `this node is autonomous since ${timeText(sinceMs)}: no API server can be reached: ${reason}`;
  return new SelvedgeError(message, { code: 'Unavailable', cause, details: { offlineSinceMs: sinceMs } });
}

/** Lets requests through while the cloud can be reached, and takes their fate as evidence. */
export class Gate {
  readonly #timings: UpstreamTimings;
  readonly #deps: GateDeps;
  #recheckAtMs = -Infinity;

  constructor(timings: UpstreamTimings, deps: GateDeps) {
    this.#timings = timings;
    this.#deps = deps;
  }

  /** Rejects with `Unavailable` and `details.offlineSinceMs` while offline: at once, or as soon as that is known. */
  async pass<T>(passage: Passage<T>): Promise<T> {
    const { monitor } = this.#deps;
    const { connectivity } = monitor;
    if (connectivity.kind === 'offline') throw offlineError(connectivity);
    const scope = scoped(passage.signal);
    const told = monitor.onConnectivity((now) => {
      if (now.kind === 'offline') scope.abort(offlineError(now));
    });
    using slow = scoped(scope.signal);
    if (passage.prompt) this.#doubtSlow(slow);
    try {
      const answer = await passage.work(scope.signal);
      this.#answered(passage, answer);
      const stays = passage.stays(answer);
      if (stays === undefined) scope[Symbol.dispose]();
      else stays.once('close', () => scope[Symbol.dispose]());
      return answer;
    } catch (error) {
      scope[Symbol.dispose]();
      throw await this.#failed(passage, error);
    } finally {
      told[Symbol.dispose]();
      slow.abort();
    }
  }

  #doubtSlow({ signal }: Scope): void {
    const { slowMs, silentPatienceMs: patienceMs } = this.#timings;
    const reason = `no answer for ${Math.round(slowMs / 1_000)} s`;
    this.#deps.clock.sleep(slowMs, signal).then(
      () => this.#deps.monitor.hear({ kind: 'suspected', reason, patienceMs, proof: 'probe' }),
      () => undefined,
    );
  }

  #answered<T>({ caller, statusOf }: Passage<T>, answer: T): void {
    const { metrics, monitor, server } = this.#deps;
    const status = statusOf(answer);
    if (status === undefined) return;
    metrics.requests.add({ caller, code: String(status) });
    if (status < 500) monitor.hear({ kind: 'answered', server: server(), by: 'answer' });
    else this.#doubtServer(status);
  }

  /** Single answers of that kind say nothing: an aggregated API may be down, a webhook fail. */
  #doubtServer(status: number): void {
    const now = this.#deps.clock.monotonicMs();
    if (now < this.#recheckAtMs) return;
    const { recheckMs, patienceMs } = this.#timings;
    this.#recheckAtMs = now + recheckMs;
    const reason = `it answers ${status}`;
    this.#deps.monitor.hear({ kind: 'suspected', reason, patienceMs, proof: 'probe' });
  }

  /** The error for the caller. One whose request went nowhere is told whether that is so for all. */
  async #failed<T>({ caller, signal }: Passage<T>, error: unknown): Promise<unknown> {
    if (signal.aborted) return error;
    const { metrics, monitor } = this.#deps;
    metrics.requests.add({ caller, code: error instanceof SelvedgeError ? error.code : 'Internal' });
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded') || 'offlineSinceMs' in error.details) return error;
    const { patienceMs } = this.#timings;
    monitor.hear({ kind: 'suspected', reason: reasonOf(error), patienceMs, proof: 'answer' });
    if (error.details['unsent'] !== true) return error;
    const now = await monitor.settled(signal);
    return now.kind === 'offline' ? offlineError(now, error) : error;
  }
}
