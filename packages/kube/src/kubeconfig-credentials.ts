import { SelvedgeError, type Clock } from '@selvedge/kit';
import { fileCredentials, stampOf, type CredentialSource } from './credentials.ts';
import { loadKubeconfig } from './kubeconfig.ts';

export interface KubeconfigCredentialsOptions {
  readonly path: string;
  /** How often the file, and those that it names, are looked at, at most, in milliseconds. Default 1,000. */
  readonly checkEveryMs?: number | undefined;
}

/**
 * The user of a kubeconfig's current context, read again when the file or one that it names was replaced. While a
 * replacement cannot be read, the last good one stays in use; the first read rejects with `Unauthenticated`.
 */
export function kubeconfigCredentials(
  { path, checkEveryMs = 1_000 }: KubeconfigCredentialsOptions,
  deps: { readonly clock: Pick<Clock, 'monotonicMs'> },
): CredentialSource {
  let held: { readonly stamp: string; readonly source: CredentialSource } | undefined;
  let checkedAt = -Infinity;
  const load = async (): Promise<CredentialSource> => {
    const stamp = await stampOf(path);
    if (held?.stamp === stamp) return held.source;
    const { credentials } = await loadKubeconfig(path);
    const source = fileCredentials({ ...credentials, checkEveryMs }, deps);
    held = { stamp, source };
    return source;
  };
  const current = async (): Promise<CredentialSource> => {
    if (held !== undefined && deps.clock.monotonicMs() - checkedAt < checkEveryMs) return held.source;
    checkedAt = deps.clock.monotonicMs();
    try {
      return await load();
    } catch (cause) {
      if (held !== undefined) return held.source;
      throw new SelvedgeError(`cannot use the kubeconfig ${path}`, { code: 'Unauthenticated', cause });
    }
  };
  return async (signal) => (await current())(signal);
}
