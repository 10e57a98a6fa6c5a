import { managerAdmission } from '@selvedge/api';
import { type KubeClient, type ObjectReader, createNewest, resources } from '@selvedge/kube';
import type { Secret } from '@selvedge/kube/types';
import { type Issued, type Standing, dataOf, issuedIn, standingOf } from './issued.ts';
import { type CertificatePlan, type Lifetimes, carriedOut } from './plan.ts';

export interface SharedSecretOptions {
  readonly namespace: string;
  /** What API servers call the webhook: DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly lifetimes: Lifetimes;
}

export interface SharedSecretDeps {
  readonly client: Pick<KubeClient, 'create' | 'replace'>;
  /** This one, if it is there. */
  readonly secrets: ObjectReader<Secret>;
  readonly clock: { now(): number };
}

/** What the Secret holds at a moment. */
export interface Held {
  readonly secret: Secret | undefined;
  readonly issued: Issued | undefined;
  readonly standing: Standing;
  readonly now: number;
}

/** The Secret in which all servers have the webhook's certificate. Whoever writes it last had seen what was there. */
export interface SharedSecret {
  look(): Held;
  /** Carries out a step from what was seen. `Conflict`, `AlreadyExists`, `NotFound`: somebody else was faster. */
  write(kind: Exclude<CertificatePlan['kind'], 'keep'>, seen: Held, signal: AbortSignal): Promise<void>;
}

const timeoutMs = 10_000;

export function createSharedSecret(
  { namespace, names, lifetimes }: SharedSecretOptions,
  { client, secrets, clock }: SharedSecretDeps,
): SharedSecret {
  const name = managerAdmission.secret;
  const key = `${namespace}/${name}`;
  const newest = createNewest({ capacity: 1 }, secrets);
  secrets.subscribe(({ kind }) => {
    if (kind === 'deleted') newest.forget(key);
  });
  return {
    look() {
      const now = clock.now();
      const secret = newest.get(key);
      const issued = issuedIn(secret);
      return { secret, issued, standing: standingOf(issued, { names, now }), now };
    },
    async write(kind, { secret, issued: before, standing, now }, signal) {
      const data = dataOf(carriedOut(kind, { before, standing, names, now }, lifetimes));
      const options = { fieldManager: managerAdmission.fieldManager, timeoutMs, signal };
      const made = { metadata: { namespace, name }, type: 'kubernetes.io/tls', data };
      newest.forget(key);
      newest.wrote(
        secret === undefined
          ? await client.create(resources.secrets, made, options)
          : await client.replace(resources.secrets, { ...secret, data }, options),
      );
    },
  };
}
