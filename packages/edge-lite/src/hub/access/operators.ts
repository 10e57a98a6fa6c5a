import { BoundedMap, type Logger } from '@selvedge/kit';
import type { UserInfo } from '../request.ts';
import type { AccessMetrics } from './metrics.ts';
import type { Question } from './questions.ts';
import type { Attributes, Decision } from './types.ts';
import { extraKeys } from './user.ts';

export interface OperatorsDeps {
  /** Whether the user of a verified certificate is an operator. */
  readonly isOperator: (user: UserInfo) => boolean;
  /** Whether the API server is known to be in reach. */
  readonly online: () => boolean;
  readonly log: Logger;
  readonly metrics: Pick<AccessMetrics, 'operatorRequests'>;
}

export interface Operators {
  /** A person with a certificate of one of the operators' groups; somebody with a token is not meant. */
  includes(user: UserInfo): boolean;
  /** Whether an operator may do this now. */
  decide(attributes: Attributes): Decision;
  /** The same for a request, of which the log tells. */
  admit(user: UserInfo, attributes: Attributes): Decision;
  /** The last thing that each operator was let do since the cloud went. Forgets them. */
  dismiss(): readonly Question[];
}

/** Operators remembered of one cut. */
const maxAdmitted = 64;
const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

const byCertificate = (user: UserInfo): boolean =>
  user.extra?.[extraKeys.credentialId]?.some((id) => id.startsWith('X509SHA256=')) === true;

const nameOf = (attributes: Attributes): string => {
  if (attributes.kind === 'nonResource') return attributes.path;
  const { group, resource, subresource } = attributes;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return group === '' ? whole : `${whole}.${group}`;
};

const placeOf = (attributes: Attributes): object =>
  attributes.kind === 'resource' ? { namespace: attributes.namespace, name: attributes.name } : {};

function decision({ verb }: Attributes, online: boolean): Decision {
  if (online)
    return {
      allowed: false,
      reason: 'operators read here only while the cloud is away: use the API server directly',
    };
  if (!readVerbs.has(verb))
    return { allowed: false, reason: 'operators may only read while the cloud is away' };
  return { allowed: true, reason: 'an operator, while the cloud is away' };
}

export function createOperators(deps: OperatorsDeps): Operators {
  const admitted = new BoundedMap<string, Question>({ capacity: maxAdmitted });
  const decide = (attributes: Attributes): Decision => decision(attributes, deps.online());
  return {
    includes: (user) => byCertificate(user) && deps.isOperator(user),
    decide,
    admit(user, attributes) {
      const answer = decide(attributes);
      if (answer.allowed) admitted.set(user.username, { user, attributes });
      const outcome = answer.allowed ? 'allowed' : 'denied';
      deps.metrics.operatorRequests.add({ outcome });
      const { verb } = attributes;
      const what = {
        user: user.username,
        verb,
        resource: nameOf(attributes),
        ...placeOf(attributes),
        outcome,
      };
      deps.log.info('operator request', what);
      return answer;
    },
    dismiss() {
      const all = [...admitted.keys()].flatMap((username) => admitted.get(username) ?? []);
      for (const { user } of all) admitted.delete(user.username);
      return all;
    },
  };
}
