import { type Clock, type Logger, type Random, createBackoff, raceAbort } from '@selvedge/kit';
import { type HttpsListener, type ServingSource, anyFamily } from '@selvedge/kit/serve';

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
  { listener, deps }: { readonly listener: HttpsListener; readonly deps: OpeningDeps },
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, log } = deps;
  const where = { ...anyFamily(address), port, hint };
  const backoff = createBackoff(retry, { clock, random });
  for (;;) {
    try {
      await listener.open(where, signal);
      log.info('kubelet API listens', { addresses: listener.addresses, port: listener.port });
      return;
    } catch (error) {
      signal.throwIfAborted();
      log.error('kubelet API does not listen', { error });
      await clock.sleep(backoff.nextDelayMs(), signal);
    }
  }
}
