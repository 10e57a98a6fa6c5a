import { BoundedMap } from '@selvedge/kit';
import type { UserInfo } from '../request.ts';
import type { Question } from './questions.ts';
import type { Attributes, Decision } from './types.ts';
import { extraKeys } from './user.ts';

export interface OperatorsDeps {
  /** Whether the user of a verified certificate is an operator. */
  readonly isOperator: (user: UserInfo) => boolean;
  /** Whether the API server is known to be in reach. */
  readonly online: () => boolean;
}

export interface Operators {
  /** A person with a certificate of one of the operators' groups; somebody with a token is not meant. */
  includes(user: UserInfo): boolean;
  /** Whether an operator may do this now. */
  decide(question: Question): Decision;
  /** The last thing that each operator was let do since the cloud went. Forgets them. */
  dismiss(): readonly Question[];
}

/** Operators remembered of one cut. */
const maxAdmitted = 64;
const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

const byCertificate = (user: UserInfo): boolean =>
  user.extra?.[extraKeys.credentialId]?.some((id) => id.startsWith('X509SHA256=')) === true;

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
  return {
    includes: (user) => byCertificate(user) && deps.isOperator(user),
    decide(question) {
      const answer = decision(question.attributes, deps.online());
      if (answer.allowed) admitted.set(question.user.username, question);
      return answer;
    },
    dismiss() {
      const names = [...admitted.keys()];
      return names.flatMap((name) => {
        const last = admitted.get(name);
        admitted.delete(name);
        return last ?? [];
      });
    },
  };
}
