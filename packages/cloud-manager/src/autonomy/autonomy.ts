import type { MetricsRegistry, Service } from '@selvedge/kit';
import type { DelegatedAccess } from '@selvedge/kube';
import type { Handler } from '../serving/index.ts';
import { createAutonomyMetrics } from './metrics.ts';
import type { AutonomyOptions } from './options.ts';
import { type Term, type TermDeps, createTerm } from './term.ts';
import { createWitness } from './witness/index.ts';

export interface AutonomyDeps extends Omit<TermDeps, 'metrics'> {
  readonly metrics: MetricsRegistry;
  readonly isBanned: (node: string) => boolean;
}

/**
 * Tells a cut from a crash: judges edge nodes, renews the Leases of those that are cut off, keeps their pods where they
 * are and new ones away, and lets the pods of dead ones fail over. Runs on one server at a time; it may be started again
 * after a stop, and goes on from what `EdgeNode.status` says.
 */
export interface Autonomy extends Service {
  /** Hears what nodes say of each other, see `createWitness`. Made once. */
  witness(access: Pick<DelegatedAccess, 'authenticate'>): Handler;
}

/** Registers its metrics: made once per program. */
export function createAutonomy(options: AutonomyOptions, deps: AutonomyDeps): Autonomy {
  let term: Term | undefined;
  const metrics = createAutonomyMetrics(deps.metrics, () => term?.judge.fates() ?? []);
  return {
    name: 'autonomy',
    witness: (access) =>
      createWitness(
        { validMs: options.witnessMs },
        { ...deps, access, term: () => term, testimonies: metrics.testimonies },
      ),
    async start(signal) {
      term = createTerm(options, { ...deps, metrics });
      await term.service.start(signal);
    },
    async stop() {
      const ended = term;
      term = undefined;
      await ended?.service.stop();
    },
  };
}
