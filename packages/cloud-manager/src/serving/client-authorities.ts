import {
  type Clock,
  type Listeners,
  type Logger,
  type Random,
  type Service,
  createListeners,
  createPoke,
} from '@selvedge/kit';
import { certificatesOf } from '@selvedge/kit/x509';
import { type KubeClient, type KubeMetrics, createObjectCaches, resources } from '@selvedge/kube';
import type { PemFiles } from './pem-files.ts';

/** Whose certificates clients show. */
export interface ClientAuthorities extends Service {
  /** PEM; undefined before the start. */
  readonly clientCa: string | undefined;
  onChange(changed: () => void): Disposable;
}

export interface ClientAuthoritiesDeps {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

const namespace = 'kube-system';
const name = 'extension-apiserver-authentication';
const key = 'client-ca-file';
const source = `configmap ${namespace}/${name}`;

const repeatMs = 30_000;

function isUsable(text: string): boolean {
  try {
    return certificatesOf(text).length > 0;
  } catch {
    return false;
  }
}

/**
 * The authorities that API servers have for clients, nodes among them, as they publish them for those to whom they delegate.
 * With k3s and RKE2 they are others than those that pods are given. Its start waits until there are any; what cannot be used
 * changes nothing. Source: kubernetes.io "Configure the Aggregation Layer"; k8s.io/apiserver, DelegatingAuthenticationOptions.
 */
export function createClientAuthorities(deps: ClientAuthoritiesDeps): ClientAuthorities {
  const { clock, log } = deps;
  const caches = createObjectCaches({ name: 'client authorities' }, deps);
  const fieldSelector = `metadata.name=${name}`;
  const configMaps = caches.follow({ resource: resources.configMaps, namespace, fieldSelector });
  const listeners: Listeners<void> = createListeners(log);
  const changed = createPoke(clock);
  let clientCa: string | undefined;
  const take = (): void => {
    const text = configMaps.get(`${namespace}/${name}`)?.data?.[key] ?? '';
    if (text === clientCa) return;
    if (!isUsable(text)) {
      if (clientCa !== undefined) log.error('authorities not replaced, the old ones stay in use', { source });
      return;
    }
    if (clientCa !== undefined) log.info('authorities replaced', { source });
    clientCa = text;
    changed.poke();
    listeners.tell();
  };
  const isKnown = (): boolean => clientCa !== undefined;
  let unsubscribe: (() => void) | undefined;
  return {
    name: 'client authorities',
    get clientCa() {
      return clientCa;
    },
    onChange: (listener) => listeners.add(listener),
    async start(signal) {
      await caches.service.start(signal);
      unsubscribe = configMaps.subscribe(take);
      take();
      while (!isKnown()) {
        log.error('no authorities for the certificates of nodes, tunnel.clientCaFile may name them', {
          source,
        });
        await changed.wait(repeatMs, signal);
      }
    },
    async stop() {
      unsubscribe?.();
      await caches.service.stop();
    },
  };
}

/** A serving certificate from files, which name no authorities of clients, with these. */
export function trusting(files: PemFiles, authorities: ClientAuthorities): PemFiles {
  let held: PemFiles['current'] | undefined;
  return {
    name: files.name,
    source: files.source,
    get serving() {
      return files.serving;
    },
    get current() {
      const { certificate, privateKey } = files.current;
      const { clientCa } = authorities;
      const isHeld = held?.certificate === certificate && held.clientCa === clientCa;
      if (held === undefined || !isHeld) held = { certificate, privateKey, clientCa };
      return held;
    },
    onChange(changed) {
      const both = new DisposableStack();
      both.use(files.onChange(changed));
      both.use(authorities.onChange(changed));
      return both;
    },
    start: (signal) => files.start(signal),
    stop: () => files.stop(),
  };
}
