import { type Clock, type Logger, SelvedgeError, hasCode } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { type CertificatePurpose, requestCertificate } from './certificate-request.ts';
import { type Pair, parsePair } from './pair.ts';
import type { PendingKey } from './pending-key.ts';

export interface IssueDeps {
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  readonly pendingKey: PendingKey;
  readonly clock: Pick<Clock, 'sleep' | 'now'>;
  readonly log: Logger;
}

/**
 * One certificate for the pending key, checked. The key is kept while the request may still be answered, and given up
 * when it was denied, removed, or answered with something that has expired. Rejects as `requestCertificate` does.
 */
export async function issuePair(
  { nodeName, purpose }: { readonly nodeName: string; readonly purpose: CertificatePurpose },
  deps: IssueDeps,
  signal: AbortSignal,
): Promise<Pair> {
  const { pendingKey, clock } = deps;
  const key = await pendingKey.take();
  try {
    const chain = await requestCertificate({ nodeName, purpose, key, signal }, deps);
    const pair = parsePair(chain, key.export({ type: 'pkcs8', format: 'pem' }).toString(), nodeName);
    if (pair.notAfterMs > clock.now()) return pair;
  } catch (error) {
    if (hasCode(error, 'Forbidden', 'NotFound')) await pendingKey.forget();
    if (!hasCode(error, 'NotFound')) throw error;
    throw new SelvedgeError('the certificate request was removed', { code: 'Unavailable', cause: error });
  }
  await pendingKey.forget();
  throw new SelvedgeError('the issued certificate has expired already', {
    code: 'Unavailable',
    hint: "compare this machine's clock with the control plane's",
  });
}
