import { managerAdmission } from '@selvedge/api';
import {
  type Clock,
  type Listeners,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createBackoff,
  createListeners,
  createPoke,
  limitRepeats,
} from '@selvedge/kit';
import type { ServingPair, ServingSource } from '@selvedge/kit/serve';
import { type KubeClient, type KubeMetrics, createObjectCaches, resources } from '@selvedge/kube';
import { begin } from './begin.ts';
import { createKeeper } from './keeper.ts';
import { type SharedSecretOptions, createSharedSecret } from './shared-secret.ts';

export type WebhookCertificatesOptions = SharedSecretOptions;

export interface WebhookCertificatesDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** The webhook's certificate as all servers share it. Its start waits until there is one, and makes it if need be. */
export interface WebhookCertificates extends Service, ServingSource {
  /** Where it is. */
  readonly source: string;
  /** What renews it, for each time that this server leads. */
  keeper(): Service;
}

const delays = { initialMs: 1_000, maxMs: 30_000, resetAfterMs: 60_000 };
const repeatWindowMs = 60_000;

export function createWebhookCertificates(
  options: WebhookCertificatesOptions,
  deps: WebhookCertificatesDeps,
): WebhookCertificates {
  const { client, clock, log, metrics } = deps;
  const { namespace, lifetimes } = options;
  const name = managerAdmission.secret;
  const caches = createObjectCaches({ name: 'webhook secret' }, deps);
  const fieldSelector = `metadata.name=${name}`;
  const secrets = caches.follow({ resource: resources.secrets, namespace, fieldSelector });
  const shared = createSharedSecret(options, { client, secrets, clock });
  const listeners: Listeners<void> = createListeners(log);
  const changed = createPoke(clock);
  const changes = metrics.counter({
    name: 'selvedge_webhook_certificate_changes_total',
    help: 'Changes of the certificates of the webhook by this server: begin, announce, issue, tell.',
  });
  let serving: ServingPair | undefined;
  /** What cannot be served changes nothing. */
  const take = (): void => {
    const { issued, standing } = shared.look();
    changed.poke();
    if (issued === undefined || standing.serving === undefined) return;
    const { certificate, key } = issued;
    const isFirst = serving === undefined;
    if (serving?.certificate === certificate) return;
    serving = { certificate, key };
    if (!isFirst) log.info('webhook certificate replaced');
    listeners.tell();
  };
  let unsubscribe: (() => void) | undefined;
  return {
    name: 'webhook certificate',
    source: `secret ${namespace}/${name}`,
    get serving() {
      return serving;
    },
    onChange: (listener) => listeners.add(listener),
    keeper: () => createKeeper(lifetimes, { ...deps, shared, secrets, changes }),
    async start(signal) {
      await caches.service.start(signal);
      unsubscribe = secrets.subscribe(take);
      await begin(
        {
          shared,
          wait: (ms) => changed.wait(ms, signal),
          backoff: createBackoff(delays, deps),
          done: (change) => changes.add({ change }),
          log: limitRepeats({ windowMs: repeatWindowMs }, deps),
        },
        signal,
      );
      take();
    },
    async stop() {
      unsubscribe?.();
      await caches.service.stop();
    },
  };
}
