import { BoundedMap, SelvedgeError } from '@selvedge/kit';
import type { CredentialSource, Credentials } from '@selvedge/kube';
import type { Sponsor } from '../coverages/types.ts';
import type { Caller } from '../request.ts';

/** In whose name a request goes upstream. */
export type Party = Caller | Sponsor;

export interface PartiesDeps {
  /** The node certificate and the cluster's authorities. */
  readonly node: CredentialSource;
  /** The credentials of each configured client. */
  readonly configured: ReadonlyMap<string, CredentialSource>;
  /** A token of a service account, bound to a pod of this node. */
  readonly sponsorToken: (
    of: { readonly namespace: string; readonly serviceAccount: string },
    signal: AbortSignal,
  ) => Promise<string>;
}

/** The credentials of whoever a request is from. Rejects with `Forbidden` for those who may send none. */
export type CredentialsOf = (party: Party, signal: AbortSignal) => Promise<Credentials>;

const maxSources = 64;

/** The same object as long as the source gives the same one. */
function held(source: CredentialSource, change: (credentials: Credentials) => Credentials): CredentialSource {
  let last: { readonly from: Credentials; readonly credentials: Credentials } | undefined;
  return async (signal) => {
    const from = await source(signal);
    if (last?.from !== from) last = { from, credentials: change(from) };
    return last.credentials;
  };
}

/**
 * Whose credentials go with what: the node's certificate with the node's own requests only, a bearer token without any
 * certificate, for an API server would take the certificate's identity. The servers are always verified against the
 * cluster's authorities, whatever a client's kubeconfig says of them.
 */
export function createCredentialsOf(deps: PartiesDeps): CredentialsOf {
  const node = held(deps.node, (credentials) => ({ ...credentials, holder: 'node' }));
  const bare = held(deps.node, ({ certificateAuthority }) => ({ certificateAuthority, holder: 'tokens' }));
  const sources = new BoundedMap<string, CredentialSource>({ capacity: maxSources });
  const configured = (client: string): CredentialSource => {
    const source = deps.configured.get(client);
    if (source === undefined) {
      throw new SelvedgeError(`the client ${client} has no credentials in the config`, { code: 'Forbidden' });
    }
    const known = sources.get(client) ?? held(source, (own) => ({ ...own, holder: `client ${client}` }));
    sources.set(client, known);
    return known;
  };
  const withToken = async (token: string, signal: AbortSignal): Promise<Credentials> => ({
    ...(await bare(signal)),
    bearerToken: token,
  });
  return async (party, signal) => {
    switch (party.kind) {
      case 'node':
        return node(signal);
      case 'token':
        return withToken(party.token, signal);
      case 'pod':
        return withToken(await deps.sponsorToken(party, signal), signal);
      case 'configured': {
        const { certificateAuthority } = await bare(signal);
        return { ...(await configured(party.client)(signal)), certificateAuthority };
      }
      case 'operator':
        throw new SelvedgeError(`${party.user.username} may only read here while the cloud is away`, {
          code: 'Forbidden',
          hint: 'ask an API server of the cluster directly',
        });
    }
  };
}
