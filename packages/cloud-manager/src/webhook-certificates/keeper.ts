import { managerAdmission } from '@selvedge/api';
import {
  type Clock,
  type Counter,
  type Logger,
  type Random,
  type Service,
  createServiceGroup,
  createSubscriptions,
  hasCode,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type ObjectReader,
  type ReconcileResult,
  type ValidatingWebhookConfiguration as WebhookConfiguration,
  createController,
  createObjectCaches,
  resources,
} from '@selvedge/kube';
import type { Secret } from '@selvedge/kube/types';
import { isTold, tell } from './api-server.ts';
import { bundleOf } from './issued.ts';
import { type Lifetimes, planCertificates } from './plan.ts';
import type { SharedSecret } from './shared-secret.ts';

export interface KeeperDeps {
  readonly client: KubeClient;
  readonly shared: SharedSecret;
  readonly secrets: ObjectReader<Secret>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** By `change`: `begin`, `announce`, `issue`, `tell`. */
  readonly changes: Counter;
  readonly kubeMetrics: KubeMetrics;
}

const key = 'webhook';
/** Everything is looked at again at least so often. */
const maxWaitMs = 10 * 60_000;
/** Whoever else writes there again and again is answered once in this time. */
const gatherMs = 1_000;
/** Somebody else wrote in between: the watch brings it. */
const passing = ['Conflict', 'AlreadyExists', 'NotFound'] as const;

class Keeper {
  readonly #lifetimes: Lifetimes;
  readonly #deps: KeeperDeps;
  readonly #configurations: ObjectReader<WebhookConfiguration>;
  /** Since when API servers are told of what, by the monotonic clock. */
  #told: { readonly bundle: string; readonly sinceMs: number } | undefined;
  /** What was said in the log to have been told. */
  #said = '';

  constructor(lifetimes: Lifetimes, deps: KeeperDeps, configurations: ObjectReader<WebhookConfiguration>) {
    this.#lifetimes = lifetimes;
    this.#deps = deps;
    this.#configurations = configurations;
  }

  async reconcile(signal: AbortSignal): Promise<ReconcileResult> {
    const { shared, log, changes } = this.#deps;
    const seen = shared.look();
    const { standing, now, issued } = seen;
    const bundle = issued === undefined ? '' : bundleOf(issued);
    const facts = { standing, now, trustedForMs: this.#trustedForMs(bundle) };
    const plan = planCertificates(facts, this.#lifetimes);
    if (plan.kind !== 'keep') {
      await shared.write(plan.kind, seen, signal);
      changes.add({ change: plan.kind });
      log.info('webhook certificates changed', { change: plan.kind });
      return { againAfterMs: 0 };
    }
    await this.#tell(bundle, signal);
    return { againAfterMs: Math.min(Math.max(plan.until - now, 0), maxWaitMs) };
  }

  /** What is not registered asks nobody: then nobody has to be told. */
  #trustedForMs(bundle: string): number | undefined {
    const configuration = this.#configurations.get(managerAdmission.configuration);
    if (configuration !== undefined && !isTold(configuration, bundle)) this.#told = undefined;
    else if (this.#told?.bundle !== bundle) this.#told = { bundle, sinceMs: this.#deps.clock.monotonicMs() };
    return this.#told && this.#deps.clock.monotonicMs() - this.#told.sinceMs;
  }

  async #tell(bundle: string, signal: AbortSignal): Promise<void> {
    const { client, log, changes } = this.#deps;
    const configuration = this.#configurations.get(managerAdmission.configuration);
    if (configuration === undefined || isTold(configuration, bundle)) return;
    await tell(client, configuration, { bundle, signal });
    changes.add({ change: 'tell' });
    const level = this.#said === bundle ? 'debug' : 'info';
    this.#said = bundle;
    log[level]('API servers told whom to trust', { configuration: managerAdmission.configuration });
  }
}

/**
 * Renews what the servers share before it is over, and has API servers trust it, whatever else is written there. For one
 * server at a time.
 */
export function createKeeper(lifetimes: Lifetimes, deps: KeeperDeps): Service {
  const { clock, random, log, secrets, kubeMetrics: metrics } = deps;
  const caches = createObjectCaches({ name: 'webhook registration' }, deps);
  const fieldSelector = `metadata.name=${managerAdmission.configuration}`;
  const configurations = caches.follow({
    resource: resources.validatingWebhookConfigurations,
    fieldSelector,
  });
  const keeper = new Keeper(lifetimes, deps, configurations);
  const controller = createController(
    { name: 'webhook-certificates', backoff: { initialMs: 200, maxMs: 30_000 } },
    {
      async reconcile(_key, signal) {
        try {
          return await keeper.reconcile(signal);
        } catch (error) {
          if (hasCode(error, ...passing)) return undefined;
          throw error;
        }
      },
      keys: () => [key],
      clock,
      random,
      log,
      metrics,
    },
  );
  const look = (): void => void controller.enqueue(key, gatherMs);
  const following = createSubscriptions({ name: 'webhook subscriptions' }, () => [
    secrets.subscribe(look),
    configurations.subscribe(look),
  ]);
  return createServiceGroup(
    { name: 'webhook certificates', services: [caches.service, following, controller] },
    { log },
  );
}
