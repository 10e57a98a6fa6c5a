import { hasCode, type Logger } from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { Hold } from './hold.ts';
import { checkRight } from './rights.ts';
import { specKey } from './spec.ts';
import { sponsorOf } from './sponsors.ts';

interface RecheckDeps {
  readonly access: Pick<Access, 'reauthorize'>;
  readonly log: Logger;
}

/** Of the same user and the same question. Undefined: he may, or nobody can tell. */
async function refusalOf(
  [first]: readonly Hold[],
  { access, log }: RecheckDeps,
  signal: AbortSignal,
): Promise<unknown> {
  if (first === undefined) return undefined;
  const { spec, caller } = first;
  try {
    const asked = { authorize: access.reauthorize.bind(access) };
    await checkRight(asked, { user: caller.user, spec }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'Forbidden')) return error;
    log.warn('right not looked at again', { coverage: specKey(spec), error });
  }
  return undefined;
}

function withdraw(hold: Hold, error: unknown): void {
  hold.revoke(error);
  hold.coverage.doubt(sponsorOf(hold.caller));
}

/** Ends the holds of those who may not read any more; who cannot be asked about keeps what he has. */
export async function recheckRights(
  holds: readonly Hold[],
  deps: RecheckDeps,
  signal: AbortSignal,
): Promise<void> {
  const groups = Map.groupBy(holds, ({ caller, spec }) => `${caller.user.username} ${specKey(spec)}`);
  for (const group of groups.values()) {
    const error = await refusalOf(group, deps, signal);
    if (error !== undefined) for (const hold of group) withdraw(hold, error);
  }
}
