import { SelvedgeError, hasCode } from '@selvedge/kit';
import {
  type BootstrapToken,
  clusterInfoAt,
  clusterInfoSignatureKey,
  formatBootstrapToken,
  resources,
  staticCredentials,
} from '@selvedge/kube';
import { joinGroup } from './token-secret.ts';
import type { TokenDeps } from './types.ts';

/** API servers learn of a new token, and of new rights, within a second or so. */
const patienceMs = 20_000;
const pauseMs = 200;

const notTaken = (cause: unknown): SelvedgeError =>
  new SelvedgeError('the API server does not accept bootstrap tokens', {
    code: 'Unsupported',
    cause,
    hint: 'start it with --enable-bootstrap-token-auth=true, then run this again; the new token was deleted',
  });

const notToBeRead = (cause: unknown): SelvedgeError =>
  new SelvedgeError('a machine that joins cannot read kube-public/cluster-info', {
    code: 'Unsupported',
    cause,
    hint: 'check `kubectl auth can-i get configmap/cluster-info -n kube-public --as=system:anonymous`; the new token was deleted',
  });

/** Does `attempt` until it goes well, for a while. */
async function until(
  attempt: () => Promise<void>,
  failed: (cause: unknown) => Error,
  { clock, signal }: TokenDeps,
): Promise<void> {
  const since = clock.monotonicMs();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, 'Unauthenticated', 'Forbidden', 'NotFound')) throw error;
      if (clock.monotonicMs() - since >= patienceMs) throw failed(error);
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** What a machine does first: reads, as nobody, what its token signed; then says who it is. Throws `Unsupported`. */
export async function checkToken(token: BootstrapToken, deps: TokenDeps): Promise<void> {
  const { connect, access, signal } = deps;
  const { certificateAuthority } = access;
  const nobody = connect(staticCredentials({ certificateAuthority }));
  const holder = connect(
    staticCredentials({ certificateAuthority, bearerToken: formatBootstrapToken(token) }),
  );
  try {
    const readSignature = async (): Promise<void> => {
      const { data = {} } = await nobody.get(resources.configMaps, clusterInfoAt, { signal });
      if (data[clusterInfoSignatureKey(token.id)] === undefined)
        throw new SelvedgeError('it is not signed with the token', { code: 'NotFound' });
    };
    const sayWho = async (): Promise<void> => {
      const { status } = await holder.create(resources.selfSubjectReviews, { metadata: {} }, { signal });
      if (status?.userInfo?.groups?.includes(joinGroup) !== true)
        throw new SelvedgeError('the token authenticates as another group', { code: 'Unauthenticated' });
    };
    await until(readSignature, notToBeRead, deps);
    await until(sayWho, notTaken, deps);
  } finally {
    await Promise.all([nobody.close(), holder.close()]);
  }
}
