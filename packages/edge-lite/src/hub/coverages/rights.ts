import { SelvedgeError } from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { UserInfo } from '../request.ts';
import { groupResource } from '../request-info/index.ts';
import { attributesOf } from './spec.ts';

const quoted = (text: string): string => JSON.stringify(text);

/** In the words of the API server. Source: k8s.io/apiserver, `responsewriters/errors.go`. */
function forbidden(
  user: UserInfo,
  attributes: ReturnType<typeof attributesOf>,
  reason: string,
): SelvedgeError {
  const { verb, group, namespace, name, resource } = attributes;
  const what = `${groupResource(attributes)}${name === '' ? '' : ` ${quoted(name)}`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  const who = `User ${quoted(user.username)} cannot ${verb} resource ${quoted(resource)}`;
  const why = reason === '' ? '' : `: ${reason}`;
  const message = `${what} is forbidden: ${who} in API group ${quoted(group)} ${where}${why}`;
  return new SelvedgeError(message, { code: 'Forbidden', details: { status: 403, reason: 'Forbidden' } });
}

/**
 * Rejects with `Forbidden` unless the user may list and watch it, by the decisions that are remembered or asked for now;
 * with `Unavailable` where there is none.
 */
export async function checkRight(
  access: Pick<Access, 'authorize'>,
  { user, spec }: { readonly user: UserInfo; readonly spec: CoverageSpec },
  signal: AbortSignal,
): Promise<void> {
  const check = async (verb: 'list' | 'watch'): Promise<void> => {
    const attributes = attributesOf(spec, verb);
    const { allowed, reason } = await access.authorize(user, attributes, signal);
    if (!allowed) throw forbidden(user, attributes, reason);
  };
  await Promise.all([check('list'), check('watch')]);
}
