import { SelvedgeError } from '@selvedge/kit';
import { type BegunRun, type JournalledConfig, configIn } from '../journal/index.ts';
import type { JoinOptions } from './types.ts';

/** The config in the journal of a join. Throws `Corrupt` if there is none: it is not one. */
function configOf(state: BegunRun): JournalledConfig {
  const config = configIn(state);
  if (config !== undefined) return config;
  throw new SelvedgeError('the journal contains no edge-lite config', { code: 'Corrupt' });
}

export const nodeNameIn = (state: BegunRun): string => configOf(state).nodeName;

/** What a journal says otherwise than a person does now, for people: `as till-5`. Undefined: nothing. */
export function otherThan(state: BegunRun, { server, caHash, nodeName }: JoinOptions): string | undefined {
  const { nodeName: name, server: known } = configOf(state);
  if (nodeName !== undefined && nodeName !== name) return `as ${name}`;
  if (!known.urls.includes(server)) return `the cluster at ${known.urls.join(', ')}`;
  return known.caHash === caHash ? undefined : `a cluster with another CA, ${known.caHash}`;
}
