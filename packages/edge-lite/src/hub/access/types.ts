import type { Service } from '@selvedge/kit';
import type { AccessAttributes, AccessDecision } from '@selvedge/kube';
import type { Caller, UserInfo } from '../request.ts';

/** What a connection shows of its client. */
export interface Presented {
  /** DER of a client certificate whose chain to the cluster's CA TLS has verified, whenever it is valid. */
  readonly certificate: Uint8Array | undefined;
  readonly bearerToken: string | undefined;
  readonly remoteAddress: string;
}

export type Attributes = AccessAttributes;
export type Decision = AccessDecision;

export interface Access extends Service {
  /**
   * Rejects with `Unauthenticated`, or `Forbidden` for a certificate that is nobody's here; while the cloud is away, with
   * `Unavailable` where nothing is shown at all.
   */
  authenticate(presented: Presented, signal: AbortSignal): Promise<Caller>;
  /**
   * The API server's decision for this user, remembered with an age: young ones are used, older ones are asked again
   * while online; offline the last one counts. Rejects with `Unavailable` when nobody ever asked.
   */
  authorize(user: UserInfo, attributes: Attributes, signal: AbortSignal): Promise<Decision>;
  /** The same, whatever the age of what is remembered: for who goes on using what he was allowed, an open watch above all. */
  reauthorize(user: UserInfo, attributes: Attributes, signal: AbortSignal): Promise<Decision>;
  /** Told when what was allowed turned out to be denied; also of operators, once the cloud is back. */
  onWithdrawn(withdrawn: (user: UserInfo, attributes: Attributes) => void): Disposable;
}
