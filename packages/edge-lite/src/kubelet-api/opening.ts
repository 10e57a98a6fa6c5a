import { type Clock, type Logger, type Random, createBackoff, raceAbort } from '@selvedge/kit';
import { type Listeners, type ServingSource, openListeners } from '../listen/index.ts';

export interface OpeningOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface OpeningDeps {
  /** Nothing listens before there is a certificate. */
  readonly pki: ServingSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const retry = { initialMs: 1_000, maxMs: 30_000, resetAfterMs: 60_000 };
const hint = 'another program, a kubelet perhaps, has the port; choose one with modules.pods.kubeletApi.port';

/** Resolves once there is a serving certificate. */
export async function whenCertified({ pki, log }: OpeningDeps, signal: AbortSignal): Promise<void> {
  if (pki.serving !== undefined) return;
  log.info('kubelet API waits for its certificate');
  const { promise, resolve } = Promise.withResolvers<void>();
  using changed = pki.onChange(resolve);
  await raceAbort(promise, signal);
}

/** Listens, as soon as nobody else has the port. */
export async function listen(
  { address, port }: OpeningOptions,
  { accepted, deps }: { readonly accepted: Parameters<typeof openListeners>[1]; readonly deps: OpeningDeps },
  signal: AbortSignal,
): Promise<Listeners> {
  const { clock, random, log } = deps;
  // As in Go, the wildcard is that of both families.
  const addresses = address === '0.0.0.0' ? [address, '::'] : [address];
  const where = { addresses, optional: new Set(['::']), port, hint };
  const backoff = createBackoff(retry, { clock, random });
  for (;;) {
    try {
      const listeners = await openListeners(where, accepted, signal);
      log.info('kubelet API listens', { addresses: listeners.addresses, port: listeners.port });
      return listeners;
    } catch (error) {
      signal.throwIfAborted();
      log.error('kubelet API does not listen', { error });
      await clock.sleep(backoff.nextDelayMs(), signal);
    }
  }
}
