import {
  type Clock,
  type Counter,
  type Limiter,
  type Logger,
  type MetricsRegistry,
  type Service,
  createLimiter,
  createTaskGroup,
} from '@selvedge/kit';
import {
  type CredentialSource,
  type TextOrFile,
  type Transport,
  createTransport,
  fileCredentials,
} from '@selvedge/kube';
import { Answers } from './answers.ts';
import { askFor } from './ask.ts';
import { type MetricWish, type Question, questionOf } from './question.ts';
import type { MetricReading } from './reading.ts';
import { type AllowedServer, parseServer } from './servers.ts';

/** A server that UnitApps may have asked. */
export interface MetricServer {
  /** `https://host:port`, with a path where only what is below it may be asked. */
  readonly url: string;
  /** PEM. Default: the system's authorities. */
  readonly caFile?: string | undefined;
  /** With `https:` only. Default: nobody is told who asks. */
  readonly bearerTokenFile?: string | undefined;
}

export interface MetricGateOptions {
  /** `program/version (os/arch)`. */
  readonly userAgent: string;
  /** None: no metric of any UnitApp is known. */
  readonly servers: readonly MetricServer[];
  /** Default 20,000: how old an answer is when it is asked for again. */
  readonly freshMs?: number;
  /** Default 120,000: how long a number counts while no newer one comes. */
  readonly holdMs?: number;
  /** Default 5,000: for one question, from the connection to the last byte. */
  readonly timeoutMs?: number;
  /** Default 64 KiB: of one answer. */
  readonly maxBytes?: number;
  /** Default 8: questions to one server at a time; the others wait. */
  readonly maxParallel?: number;
  /** Default 10,000: answers that are remembered, and questions that wait. Which was wanted least lately is forgotten. */
  readonly maxAnswers?: number;
}

export interface MetricGateMetrics {
  /** Connections opened or tried. */
  readonly dials: Counter;
  /** `outcome`: `number`, `unknown`. */
  readonly answers: Counter;
}

export interface MetricGateDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricGateMetrics;
  /** Told that there is another answer for a UnitApp. Must not throw. */
  readonly onReading: (app: string) => void;
}

/** Asks servers of metrics about units, those only that the config allows. */
export interface MetricGate extends Service {
  /**
   * What is known by now; undefined: nothing yet. Whoever reads it sees to it that it is asked for, and again when it is
   * older than `freshMs`; `onReading` tells of what came. A wish that cannot be asked is unknown at once. Does not wait.
   */
  read(wish: MetricWish): MetricReading | undefined;
}

interface Server extends AllowedServer {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly limiter: Limiter;
}

const defaults = {
  freshMs: 20_000,
  holdMs: 120_000,
  timeoutMs: 5_000,
  maxBytes: 65_536,
  maxParallel: 8,
  maxAnswers: 10_000,
};

/** Registers the metrics; once per registry. */
export function createMetricGateMetrics(registry: MetricsRegistry): MetricGateMetrics {
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `selvedge_units_metric_${name}_total`, help });
  return {
    dials: counter('dials', 'Connections to servers of metrics, opened or tried.'),
    answers: counter('answers', 'Questions to servers of metrics, by outcome.'),
  };
}

const fileOf = (file: string | undefined): TextOrFile | undefined =>
  file === undefined ? undefined : { file };

function serverOf(
  { url, caFile, bearerTokenFile }: MetricServer,
  maxParallel: number,
  deps: MetricGateDeps,
): Server {
  const { clock, log } = deps;
  const allowed = parseServer(url);
  const files = { certificateAuthority: fileOf(caFile), bearerToken: fileOf(bearerTokenFile) };
  const onUnusable = (error: unknown): void =>
    log.warn('cannot use new credentials for a server of metrics', { server: url, error });
  return {
    ...allowed,
    transport: createTransport({ servers: [allowed.origin], maxSockets: maxParallel }, deps),
    credentials: fileCredentials(files, { clock, onUnusable }),
    limiter: createLimiter({ capacity: maxParallel }),
  };
}

const keyOf = (
  { uid, revision }: MetricWish,
  { url, field }: { readonly url: URL; readonly field: string },
) => `${uid} ${revision} ${url.href} ${field}`;

/** Throws `Invalid` for a server whose URL cannot be one. Does no I/O before the first question. */
export function createMetricGate(given: MetricGateOptions, deps: MetricGateDeps): MetricGate {
  const options = { ...defaults, ...given };
  const { clock, log, metrics, onReading } = deps;
  const servers = options.servers.map((server) => serverOf(server, options.maxParallel, deps));
  const answers = new Answers(options);
  const tasks = createTaskGroup(
    { name: 'metric gate', maxTasks: options.maxAnswers },
    { onFailure: (error) => log.error('cannot ask for a metric', { error }) },
  );
  const ask = (key: string, app: string, question: Extract<Question<Server>, { kind: 'question' }>): void => {
    const { server } = question;
    answers.asked(key);
    tasks.run('question', async (signal) => {
      const reading = await server.limiter.run(signal, () =>
        askFor(question, { ...options, signal }, { ...server, clock }),
      );
      metrics.answers.add({ outcome: reading.kind });
      if (answers.answered(key, reading, clock.monotonicMs())) onReading(app);
    });
  };
  return {
    name: 'metric gate',
    start: () => Promise.resolve(),
    async stop() {
      await tasks.stop();
      await Promise.all(servers.map(({ transport }) => transport.close()));
    },
    read(wish) {
      const question = questionOf(servers, wish);
      if (question.kind === 'none') return question.reading;
      const key = keyOf(wish, question);
      const nowMs = clock.monotonicMs();
      if (answers.isDue(key, nowMs) && tasks.size < options.maxAnswers) ask(key, wish.app, question);
      return answers.read(key, nowMs);
    },
  };
}
