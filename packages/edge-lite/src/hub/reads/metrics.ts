import type { MetricsRegistry } from '@selvedge/kit';

/** Where an answer came from: the replica, upstream, or what the reader had read before. */
export type Origin = 'replica' | 'upstream' | 'point';

export interface ReadMetrics {
  readonly answered: (verb: string, origin: Origin) => void;
  /** A watch of the replica begins; dispose when it ends. */
  readonly watching: () => Disposable;
}

export function createReadMetrics(registry: MetricsRegistry): ReadMetrics {
  const answers = registry.counter({
    name: 'selvedge_hub_reads_total',
    help: 'Answered reads, by verb (stream: a watch that lists first) and origin: replica, upstream, point (read before by the same identity).',
  });
  let open = 0;
  registry.sampled(
    { name: 'selvedge_hub_watches', help: 'Open watches of local clients on the replica.' },
    () => open,
  );
  return {
    answered: (verb, origin) => answers.add({ verb, origin }),
    watching: () => {
      open += 1;
      return { [Symbol.dispose]: () => void (open -= 1) };
    },
  };
}
